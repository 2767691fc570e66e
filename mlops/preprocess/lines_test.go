package preprocess

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// csvSource stores a text, and infers its schema.
func csvSource(t *testing.T, ex *mapper.Executor, text string) dataset.Source {
	t.Helper()
	b := storage.Prefix(ex.Bucket(), "in")
	if err := b.Put(t.Context(), "rows.csv", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	src := dataset.Source{URLs: []string{b.URL()}, Format: dataset.Format{Name: dataset.CSV}}
	var err error
	if src.Schema, err = dataset.Infer(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	return src
}

// TestTransformNamesLines: what a transform or a shard cannot take is named by object and line.
func TestTransformNamesLines(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		text string
		p    Pipeline
	}{
		`"rows.csv" in `: {"a\n1\nNA\n", Pipeline{MinMax{}}},
		`line 4: dataset: column "a": the value is mi`: {"a\n1\n\nNA\n", Pipeline{MinMax{}}},
		`line 3: log: column "a": no logarithm of -7`:  {"a\n1\n-7\n", Pipeline{Log{}}},
	} {
		ex := mappertest.New(t)
		src := csvSource(t, ex, c.text)
		f, err := c.p.Fit(t.Context(), ex, src)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Transform(t.Context(), ex, src, storage.Prefix(ex.Bucket(), "out").URL(), TransformOptions{})
		if !strings.Contains(errText(err), want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestTransformEmptyPart: a part of the rows that has none is an error.
func TestTransformEmptyPart(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvSource(t, ex, "a,who\n1,x\n2,x\n")
	who := src.Schema.Index("who")
	src.Schema.Columns[who].Role = dataset.Ignored
	f, err := Pipeline{MinMax{}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	url := storage.Prefix(ex.Bucket(), "out").URL()
	empty := 0
	for _, rows := range []dataset.SplitRows{{To: 0.5, By: "who"}, {From: 0.5, By: "who"}} {
		src.Rows = rows
		if _, err := f.Transform(t.Context(), ex, src, url, TransformOptions{}); err != nil {
			if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `column "who" has too few`) {
				t.Error(err)
			}
			empty++
		}
	}
	for _, p := range []Pipeline{{MinMax{}}, {Impute{With: MostFrequent}}, {Quantile{}}} {
		failed := 0
		for _, rows := range []dataset.SplitRows{{To: 0.5, By: "who"}, {From: 0.5, By: "who"}} {
			src.Rows = rows
			if _, err := p.Fit(t.Context(), ex, src); err != nil {
				if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `column "who" has too few`) {
					t.Errorf("%T: %v", p[0], err)
				}
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%T: %d of the two parts are empty", p[0], failed)
		}
	}
	if empty != 1 {
		t.Errorf("%d of the two parts are empty", empty)
	}
}

// TestRowIgnored: what is in an ignored column of a single row is not looked at.
func TestRowIgnored(t *testing.T) {
	t.Parallel()
	in := dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}, {Name: "b", Kind: dataset.Number, Role: dataset.Ignored}}}
	f, err := newFitted(in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Row(map[string]any{"a": 1, "b": struct{}{}}); err != nil || b.Values[0] != 1 {
		t.Error(b, err)
	}
}

// TestDigits: columns far from zero show what differs.
func TestDigits(t *testing.T) {
	t.Parallel()
	n := &NumbersDescription{Min: 1600000001, Mean: 1600000002, Max: 1600000003}
	if got := n.text(n.Min) + " " + n.text(n.Mean) + " " + n.text(n.Max); got != "1600000001 1600000002 1600000003" {
		t.Error(got)
	}
	for want, n := range map[string]NumbersDescription{
		"1.2346": {Min: 1.23456789, Mean: 2, Max: 3},
		"7":      {Min: 7, Mean: 7, Max: 7},
	} {
		if got := n.text(n.Min); got != want {
			t.Errorf("%s, and not %s", got, want)
		}
	}
	if rowsText(1) != "row" || rowsText(0) != "rows" {
		t.Error("1 rows")
	}
}

// TestStepIgnored: a step that would learn of a column that is not read, or do something to it, is refused.
func TestStepIgnored(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvSource(t, ex, "a,b,who\n1,2,x\n2,3,y\n")
	for _, name := range []string{"b", "who"} {
		src.Schema.Columns[src.Schema.Index(name)].Role = dataset.Ignored
	}
	for _, s := range []Step{
		MinMax{Columns: []string{"b"}}, Impute{With: MostFrequent, Columns: []string{"who"}}, DropMissing{Columns: []string{"b"}}, Clip{Columns: []string{"b"}, High: 1},
		Role{Column: "b"}, Interact{Columns: []string{"a", "b"}},
	} {
		_, err := Pipeline{s}.Fit(t.Context(), ex, src)
		if err == nil || !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "is ignored, so that its values are not read") {
			t.Errorf("%T: %v", s, err)
		}
	}
	for _, p := range []Pipeline{
		{Drop{Columns: []string{"b"}}, DropMissing{}, MinMax{}}, {Keep{Columns: []string{"a"}}}, {DropMissing{}},
		{Role{Column: "a", As: dataset.Ignored}, MinMax{Columns: []string{"a"}}},
	} {
		if _, err := p.Fit(t.Context(), ex, src); err != nil {
			t.Errorf("%T: %v", p[0], err)
		}
	}
}
