package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"
)

// numberedRows is a text of rows whose number is that of their line, and blank lines between.
func numberedRows(head, row, blank string) string {
	var b strings.Builder
	b.WriteString(head)
	for line := strings.Count(head, "\n") + 1; line < 40; {
		if line%7 == 0 {
			b.WriteString(blank)
			line += strings.Count(blank, "\n")
			continue
		}
		text := fmt.Sprintf(row, line)
		b.WriteString(text)
		line += strings.Count(text, "\n")
	}
	return b.String()
}

// TestBlockErrorf names the object and the line of a row in each format, however the source is split, and whoever has taken
// the row meanwhile.
func TestBlockErrorf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		f    Format
		s    Schema
	}{
		"csv":                    {numberedRows("\na,b\n", "%d,x\n", "\r\n"), Format{Name: CSV}, columns("a n", "b s")},
		"csv without a header":   {numberedRows("", "%d,x\n", "\n"), Format{Name: CSV, NoHeader: true}, columns("a n", "b s")},
		"csv, bad rows left out": {numberedRows("a,b\n", "%d,x\n", "y,x\n"), Format{Name: CSV, Bad: Skip}, columns("a n", "b s")},
		"multiline":              {numberedRows("a,b\n", "%d,\"x\ny\"\n", "\n"), Format{Name: CSV, MultiLine: true}, columns("a n", "b s")},
		"multiline, bad rows":    {numberedRows("a,b\n", "%d,\"x\ny\"\n", "1\n"), Format{Name: CSV, MultiLine: true, Bad: Skip}, columns("a n", "b s")},
		"jsonl":                  {numberedRows("", "{\"a\":%d}\n", "\n"), Format{Name: JSONLines}, columns("a n")},
		"libsvm":                 {numberedRows("", "%d 1:2\n", "# none\n"), Format{Name: LibSVM}, LibSVMSchema(1)},
	} {
		splits := []int64{0, 1, 13}
		if name == "multiline, bad rows" { // which rows are found there depends on the splits
			splits = splits[:1]
		}
		url := bucket(t, map[string]string{"k": c.text, "p": packed(t, c.text)})
		for _, split := range splits {
			for _, part := range []SplitRows{{}, {To: 0.5}} {
				s := Source{URLs: []string{url}, Format: c.f, Schema: c.s, Split: split, Rows: part}
				parts, err := s.Parts(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, p := range parts {
					for b, err := range s.Blocks(t.Context(), p) {
						if err != nil {
							t.Fatal(name, err)
						}
						taken := &Block{}
						taken.Take(s.Schema, b, []int{b.Rows - 1})
						check := func(b *Block, row int) {
							err := b.Errorf(row, "it is %w", fs.ErrExist)
							want := fmt.Sprintf("line %v: it is", b.Columns[0].Numbers[row])
							if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q in %s", p.Key, p.URL)) {
								t.Errorf("%s, split %d: %v, not %s", name, split, err, want)
							}
							n++
						}
						check(taken, 0)
						copied := b.Clone()
						for row := range b.Rows {
							check(copied, row)
						}
					}
				}
				if n == 0 {
					t.Errorf("%s: no rows", name)
				}
			}
		}
	}
}

// TestBlockErrorfIDX names the row, where there are no lines.
func TestBlockErrorfIDX(t *testing.T) {
	t.Parallel()
	url := bucket(t, map[string]string{"i": idxFileOf(8, []uint32{3, 2}, make([]byte, 6)), "l": idxFileOf(8, []uint32{3}, []byte{1, 2, 3})})
	s := Source{URLs: []string{url + "/i", url + "/l"}, Format: Format{Name: IDX}, Split: 1}
	var err error
	if s.Schema, err = Infer(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	parts, err := s.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		for b, err := range s.Blocks(t.Context(), p) {
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf(`"i" in %s: row %v: strange`, url, b.Columns[0].Numbers[0])
			if err := b.Errorf(0, "strange"); !strings.Contains(err.Error(), want) {
				t.Errorf("%v, not %s", err, want)
			}
		}
	}
}

// TestBlockErrorfUnread is of rows that no reader has read, or cannot read again.
func TestBlockErrorfUnread(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]*Block{
		"strange":                       {Rows: 1},
		"row 0 of 2: strange":           {Rows: 2},
		"row 00000000000000ab: strange": {Rows: 2, IDs: []uint64{0xab, 0xac}},
	} {
		if err := b.Errorf(0, "strange"); err.Error() != want {
			t.Errorf("%v, not %s", err, want)
		}
	}
	s := Source{URLs: []string{bucket(t, map[string]string{"k": "a\n1\n"})}, Format: Format{Name: CSV}, Schema: columns("a n")}
	parts, err := s.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var kept *Block
	for b, err := range s.Blocks(ctx, parts[0]) {
		if err != nil {
			t.Fatal(err)
		}
		kept = b.Clone()
	}
	cancel()
	if err := kept.Errorf(0, "it is %w", fs.ErrExist); !errors.Is(err, fs.ErrExist) || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "canceled") || !strings.Contains(err.Error(), `"k"`) {
		t.Error(err)
	}
	kept.Reset()
	if err := kept.Errorf(0, "strange"); strings.Contains(err.Error(), `"k"`) {
		t.Error(err)
	}
}

// TestAssembleNamesLines: what is missing where a model needs a number is named as what cannot be read is.
func TestAssembleNamesLines(t *testing.T) {
	t.Parallel()
	s := Source{URLs: []string{bucket(t, map[string]string{"k": "a\n1\n\n2\nNA\n3\n"})}, Format: Format{Name: CSV}, Schema: columns("a n")}
	parts, err := s.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAssembler(s.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range s.Blocks(t.Context(), parts[0]) {
		if err != nil || !math.IsNaN(b.Columns[0].Numbers[2]) {
			t.Fatal(b, err)
		}
		if _, err := a.Assemble(b); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `"k" in `) || !strings.Contains(err.Error(), `line 5: dataset: column "a": the value is missing`) {
			t.Error(err)
		}
	}
}
