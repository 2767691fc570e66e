package dataset

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// TestInferIgnoresWhatIsThere: a column that is to be ignored, and is not there, may be another one that was misspelt.
func TestInferIgnoresWhatIsThere(t *testing.T) {
	t.Parallel()
	s := Source{URLs: []string{bucket(t, map[string]string{"k": "price,n\n1,2\n"})}, Format: Format{Name: CSV}}
	s.Schema.Columns = []Column{{Name: "prise", Role: Ignored}}
	if _, err := Infer(t.Context(), s); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `"price"`) && !strings.Contains(err.Error(), "price") {
		t.Error(err)
	}
}

// TestMatchTwice: a column that is there twice is one more.
func TestMatchTwice(t *testing.T) {
	t.Parallel()
	one, two := columns("a n", "b s"), columns("a n", "b s", "a n")
	if one.Match(two) == nil || two.Match(one) == nil || one.Match(one) != nil {
		t.Error(one.Match(two), two.Match(one), one.Match(one))
	}
}

// TestManifestTwice: an object is named once.
func TestManifestTwice(t *testing.T) {
	t.Parallel()
	m, err := newManifest(columns("a n"), nil, "p/x")
	if err == nil {
		err = m.check()
	}
	if err != nil {
		t.Error(err)
	}
	if m, err := newManifest(columns("a n"), nil, "p/x", "p/x"); err == nil && m.check() == nil {
		t.Error("a key twice")
	}
}
