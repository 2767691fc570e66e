package storage_test

import (
	"encoding/json"
	"errors"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/storage"
)

type event struct {
	Name string
	N    int
}

func readJSON(t *testing.T) func(storage.Split) iter.Seq2[event, error] {
	return func(s storage.Split) iter.Seq2[event, error] { return storage.JSONLines[event](t.Context(), s) }
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	text := "\ufeff{\"name\":\"a\",\"n\":1}\n\n \t\r\n{\"Name\":\"ö\\n\"}\r\n\n{\"N\":3}"
	want := []string{"{a 1}", "{ö\n 0}", "{ 3}"}
	random := rand.New(rand.NewPCG(1, 1))
	for _, size := range sizes([]byte(text), random) {
		got, err := collect(splitsOf(t, put(t, []byte(text)), int64(size[0])), readJSON(t))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("splits of %d bytes: %v (-want +got):\n%s", size[0], err, diff)
		}
	}
	for name, data := range packed(t, []byte(text)) {
		got, err := collect(splitsOf(t, put(t, data), 0), readJSON(t))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestBadJSON is an error in the line where it stands, whatever the splits; lines before it are not lost.
func TestBadJSON(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"{", "{} {}", `{"name":1}`, "{\"name\":\"\xff\"}", "x", "\u00a0", "\v"} {
		text := "{\"n\":1}\n\n{\"n\":2}\n" + bad + "\n{\"n\":3}\n"
		all := packed(t, []byte(text))
		all[""] = []byte(text)
		for name, data := range all {
			for size := int64(1); size < int64(len(text)); size++ {
				got, err := collect(splitsOf(t, put(t, data), size), readJSON(t))
				if err == nil || !strings.Contains(err.Error(), "line 4: ") || !strings.Contains(err.Error(), `"k"`) || len(got) != 2 ||
					!errors.As(err, new(*storage.Error)) {
					t.Errorf("%q in splits of %d bytes %s: %q, %v", bad, size, name, got, err)
				}
			}
		}
	}
	got, err := collect(splitsOf(t, put(t, []byte(`{"n":"x"}`)), 0), readJSON(t))
	if !errors.As(err, new(*json.UnmarshalTypeError)) || got != nil {
		t.Errorf("a type that does not fit: %q, %v", got, err)
	}
}
