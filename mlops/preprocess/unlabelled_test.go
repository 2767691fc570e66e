package preprocess

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// TestTransformNoLabels: rows without labels become the numbers that they become with them.
func TestTransformNoLabels(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvSource(t, ex, "id,age,y,w,city\n1,20,no,1,Ulm\n2,,yes,2,Bonn\n3,40,no,1,Ulm\n")
	for name, role := range map[string]dataset.Role{"id": dataset.Ignored, "y": dataset.Label, "w": dataset.Weight} {
		src.Schema.Columns[src.Schema.Index(name)].Role = role
	}
	p := Pipeline{Impute{With: Mean}, OneHot{Columns: []string{"city"}}, Ordinal{Columns: []string{"y"}}, DropMissing{}}
	f, err := p.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	with := storage.Prefix(ex.Bucket(), "with").URL()
	if _, err := f.Transform(t.Context(), ex, src, with, TransformOptions{}); err != nil {
		t.Fatal(err)
	}
	want := valuesOf(t, with)
	for name, text := range map[string]string{
		"without":           "id,age,city\nx,20,Ulm\ny,,Bonn\nz,40,Ulm\n",
		"in another place":  "id,age,city,y,w\n,20,Ulm,,\n,,Bonn,?,\n,40,Ulm,,\n",
		"with another kind": "y,id,age,w,city\n1,1,20,no,Ulm\n2,1,,no,Bonn\n3,1,40,no,Ulm\n",
	} {
		other := csvSource(t, ex, text)
		other.Schema.Columns[other.Schema.Index("id")].Role = dataset.Ignored
		url := storage.Prefix(ex.Bucket(), "no labels/"+strings.ReplaceAll(name, " ", "-")).URL()
		done, err := f.Transform(t.Context(), ex, other, url, TransformOptions{NoLabels: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if done.Manifest.Labels || done.Manifest.Weights || done.Manifest.Rows != 3 || done.Dropped != 0 {
			t.Errorf("%s: %+v", name, done.Manifest)
		}
		if diff := cmp.Diff(want, valuesOf(t, url)); diff != "" {
			t.Errorf("%s (-with +without):\n%s", name, diff)
		}
		if _, err := Open(t.Context(), url); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.Transform(t.Context(), ex, other, url+"2", TransformOptions{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s, where labels are needed: %v", name, err)
		}
	}
	for name, schema := range map[string]dataset.Schema{"the schema in": f.In(), "that of the source": src.Schema} {
		for lack, text := range map[string]string{"lacking": "id,age,city\nx,20,Ulm\ny,,Bonn\nz,40,Ulm\n", "there": "id,age,y,w,city\n1,20,,,Ulm\n2,,?,,Bonn\n3,40,,,Ulm\n"} {
			other := csvSource(t, ex, text)
			other.Schema = schema
			url := storage.Prefix(ex.Bucket(), strings.ReplaceAll("by "+name+" "+lack, " ", "-")).URL()
			if _, err := f.Transform(t.Context(), ex, other, url, TransformOptions{NoLabels: true}); err != nil {
				t.Errorf("%s, labels %s: %v", name, lack, err)
				continue
			}
			if diff := cmp.Diff(want, valuesOf(t, url)); diff != "" {
				t.Errorf("%s, labels %s (-with +without):\n%s", name, lack, diff)
			}
		}
	}
	lacking := csvSource(t, ex, "id,city\n1,Ulm\n")
	lacking.Schema.Columns[0].Role = dataset.Ignored
	if _, err := f.Transform(t.Context(), ex, lacking, with+"3", TransformOptions{NoLabels: true}); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `"age" is lacking`) {
		t.Error(err)
	}
}

func valuesOf(t *testing.T, url string) (all [][]float32) {
	t.Helper()
	set, err := dataset.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for b, err := range set.Batches(t.Context(), dataset.BatchOptions{Size: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, append([]float32(nil), b.Dense(0)...))
	}
	return all
}

// TestFittedIsFixed: what a caller does with what In, Out and Transforms return changes nothing.
func TestFittedIsFixed(t *testing.T) {
	t.Parallel()
	in := dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}}}
	f, err := newFitted(in, []Transform{Dropped{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Columns[0].Name, f.In().Columns[0].Name, f.Out().Columns[0].Name, f.Transforms()[0] = "b", "b", "b", nil
	if f.In().Columns[0].Name != "a" || f.Out().Columns[0].Name != "a" || f.Transforms()[0] == nil {
		t.Error(f.In(), f.Out(), f.Transforms())
	}
}

// TestRowErrors name no row: there is one.
func TestRowErrors(t *testing.T) {
	t.Parallel()
	f, err := newFitted(dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Row(nil); err == nil || strings.Contains(err.Error(), "0000") || !strings.HasPrefix(err.Error(), "preprocess: row: ") {
		t.Error(err)
	}
}
