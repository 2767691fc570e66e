package preprocess

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/real"
	"github.com/gowren/gowren/mlops/dataset/synth"
)

// putTable stores an object, and returns the source that has it.
func putTable(t *testing.T, ex *mapper.Executor, key string, text []byte, s dataset.Schema, f dataset.Format) dataset.Source {
	t.Helper()
	if err := ex.Bucket().Put(t.Context(), key, bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return dataset.Source{URLs: []string{ex.Bucket().URL() + "/" + key}, Format: f, Schema: s}
}

// TestVocabularyJobs holds that jobs fit vocabularies to the bit as one process does, whatever the splits, and that what they
// write is what the pipeline makes of the rows.
func TestVocabularyJobs(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	penguins := real.Penguins()
	criteo := synth.NewCriteo(3)
	var clicks bytes.Buffer
	if err := synth.Write(&clicks, criteo, 0, 700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		src   dataset.Source
		steps Pipeline
	}{
		"penguins": {putTable(t, ex, "penguins.csv", penguins.CSV, penguins.Schema, dataset.Format{Name: dataset.CSV}), Pipeline{
			Impute{With: Mean}, Ordinal{Columns: []string{"species"}, Sorted: true}, OneHot{Columns: []string{"sex", "year"}, Missing: true}, TFIDF{Words: Words{Column: "island"}},
		}},
		"criteo": {putTable(t, ex, "clicks.txt", clicks.Bytes(), criteo.Schema(), dataset.Format{Name: dataset.Criteo}), Pipeline{
			OneHot{Columns: []string{"C3", "C9"}, Most: 20, Unknown: UnknownOther}, Hash{Bits: 12},
		}},
	} {
		want := ""
		for _, split := range []int64{0, 3000} {
			c.src.Split = split
			f, err := c.steps.FitBlocks(c.src.Schema, all(t.Context(), c.src))
			if err != nil {
				t.Fatal(name, err)
			}
			if c.src.Format.Name == dataset.Criteo {
				f.Missing = []string{""} // a job knows the format, too
			}
			if want == "" {
				want = textOf(t, f)
			}
			if got := textOf(t, f); got != want {
				t.Errorf("%s, in memory, in splits of %d: other things are fitted", name, split)
			}
			if f, err = c.steps.Fit(t.Context(), ex, c.src); err != nil {
				t.Fatal(name, err)
			}
			if got := textOf(t, f); got != want {
				t.Errorf("%s, as a job, in splits of %d: other things are fitted", name, split)
			}
		}
		f, err := c.steps.Fit(t.Context(), ex, c.src)
		if err != nil {
			t.Fatal(err)
		}
		url := ex.Bucket().URL() + "/" + name
		if _, err := f.Transform(t.Context(), ex, c.src, url, TransformOptions{}); err != nil {
			t.Fatal(name, err)
		}
		set, err := dataset.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		if species := f.Values("species"); name == "penguins" && !slices.Equal(species, []string{"Adelie", "Chinstrap", "Gentoo"}) {
			t.Errorf("the classes are %q", species)
		}
		rows := map[string]int64{"penguins": 344, "criteo": 700}[name]
		if set.Rows() != rows {
			t.Errorf("%s: %d rows are stored", name, set.Rows())
		}
	}
}

// TestHashServes holds that a single row is hashed as those of blocks.
func TestHashServes(t *testing.T) {
	t.Parallel()
	c := columnOf("s", "x").add("n", dataset.Number, 2.0)
	f := c.fit(t, Hash{Bits: 10})
	b, err := f.Row(map[string]any{"s": "x", "n": 2})
	if err != nil {
		t.Fatal(err)
	}
	idx, val := b.Row(0)
	if want := c.vectors(t, f)[0]; !slices.Equal(idx, want.Idx) || float64(val[0]) != want.Val[0] || float64(val[1]) != want.Val[1] {
		t.Errorf("%v %v, want %v", idx, val, want)
	}
}

// TestPartJobs holds that jobs over the parts of a source write all of its rows, each once.
func TestPartJobs(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	table := real.BreastCancer()
	src := putTable(t, ex, "in.csv", table.CSV, table.Schema, dataset.Format{Name: dataset.CSV})
	src.Split = 20_000
	train := src
	train.Rows = dataset.SplitRows{To: 0.8}
	f, err := (Pipeline{Ordinal{Columns: []string{"diagnosis"}, Sorted: true}, StandardScore{}}).Fit(t.Context(), ex, train)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for name, rows := range map[string]dataset.SplitRows{"train": train.Rows, "test": {From: 0.8, To: 1}} {
		src.Rows = rows
		out, err := f.Transform(t.Context(), ex, src, ex.Bucket().URL()+"/"+name, TransformOptions{})
		if err != nil {
			t.Fatal(err)
		}
		total += out.Manifest.Rows
		if share := float64(out.Manifest.Rows) / 569; share < rows.To-rows.From-0.08 || share > rows.To-rows.From+0.08 {
			t.Errorf("%s has %d rows", name, out.Manifest.Rows)
		}
	}
	if total != 569 {
		t.Errorf("%d rows are in both", total)
	}
}
