package preprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// csvOf puts a table of numbers and words into an executor's bucket, as two objects.
func csvOf(t *testing.T, ex *mapper.Executor, name string, rows int, random *rand.Rand) dataset.Source {
	t.Helper()
	src := dataset.Source{Format: dataset.Format{Name: dataset.CSV}, Schema: dataset.Schema{Columns: []dataset.Column{
		{Name: "a", Kind: dataset.Number}, {Name: "b", Kind: dataset.Number}, {Name: "word", Kind: dataset.String},
		{Name: "y", Kind: dataset.Number, Role: dataset.Label},
	}}}
	for object := range 2 {
		var text strings.Builder
		text.WriteString("a,b,word,y\n")
		for i := range rows {
			fmt.Fprintf(&text, "%v,%v,%s,%d\n", random.NormFloat64(), 1e9+random.NormFloat64(), []string{"x", "", "é", "\xff", "z\x00z"}[random.IntN(5)], i%2)
			if random.IntN(9) == 0 {
				fmt.Fprintf(&text, ",,x,%d\n", i%2)
			}
		}
		key := fmt.Sprintf("%s/%d.csv", name, object)
		if err := ex.Bucket().Put(t.Context(), key, strings.NewReader(text.String())); err != nil {
			t.Fatal(err)
		}
		src.URLs = append(src.URLs, ex.Bucket().URL()+"/"+key)
	}
	return src
}

// all yields a source's blocks, one part after another.
func all(ctx context.Context, src dataset.Source) func(yield func(*dataset.Block, error) bool) {
	return func(yield func(*dataset.Block, error) bool) {
		parts, err := src.Parts(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, p := range parts {
			for b, err := range src.Blocks(ctx, p) {
				if !yield(b, err) {
					return
				}
			}
		}
	}
}

// keysOf returns what is in a bucket.
func keysOf(t *testing.T, b storage.Bucket) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// TestJobs holds that jobs fit to the bit what one process does, whatever the splits, and leave nothing.
func TestJobs(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvOf(t, ex, "in", 300, rand.New(rand.NewPCG(7, 8)))
	before := keysOf(t, ex.Bucket())
	for name, p := range map[string]Pipeline{
		"by merging": {Impute{With: Median, Columns: []string{"a", "b"}}, StandardScore{}, Bins{Columns: []string{"b"}, Bins: 9}},
		"by key":     {Impute{With: MostFrequent, Indicator: true}, StandardScore{Columns: []string{"a"}}, MinMax{}},
		"both":       {Quantile{Columns: []string{"b"}}, Impute{With: MostFrequent}, MinMax{}},
		"known":      {Clip{Low: -1, High: 1}},
	} {
		var want string
		for _, split := range []int64{0, 1000, 4096} {
			src.Split = split
			f, err := p.FitBlocks(src.Schema, all(t.Context(), src))
			if err != nil {
				t.Fatal(name, err)
			}
			if want == "" {
				want = textOf(t, f)
			}
			if got := textOf(t, f); got != want {
				t.Errorf("%s, in memory, in splits of %d:\n%s\nand\n%s", name, split, got, want)
			}
			f, err = p.Fit(t.Context(), ex, src)
			if err != nil {
				t.Fatal(name, err)
			}
			if got := textOf(t, f); got != want {
				t.Errorf("%s, as a job, in splits of %d:\n%s\nand\n%s", name, split, got, want)
			}
		}
	}
	if after := keysOf(t, ex.Bucket()); !slices.Equal(after, before) {
		t.Errorf("the bucket had %v, and has %v", before, after)
	}
}

// tallying is a [Counter] of all that is in the column "word", and of all numbers of "y" in how many rows.
type tallying struct {
	Rows int64

	got map[string][]Counted
}

func (f *tallying) Plan(in dataset.Schema) (Plan, error) {
	return Plan{Reads: []string{"word", "y"}, Out: in, Fitter: &tallying{}}, nil
}

func (f *tallying) See(_ dataset.Schema, b *dataset.Block) error {
	f.Rows += int64(b.Rows)
	return nil
}

func (f *tallying) Merge(other Fitter) error {
	f.Rows += other.(*tallying).Rows
	return nil
}

func (f *tallying) Count(in dataset.Schema, b *dataset.Block, emit func(list string, value []byte, n, rows int64)) error {
	for row := range b.Rows {
		emit("words\x00\xff", b.Columns[in.Index("word")].Strings.At(row), 2, 1)
		emit("y", []byte{0, byte(b.Columns[in.Index("y")].Numbers[row])}, 1, 3)
	}
	return nil
}

func (f *tallying) Want() map[string]Want {
	return map[string]Want{"words\x00\xff": {}, "y": {Most: 1, ByRows: true}}
}

func (f *tallying) Counted(list string, values []Counted) error {
	if f.got == nil {
		f.got = map[string][]Counted{}
	}
	f.got[list] = values
	return nil
}

func (f *tallying) Fit() (Transform, error) {
	return Told(fmt.Sprint(f.Rows, f.got)), nil
}

// Told is what tallying was told.
type Told string

// Out is in.
func (Told) Out(in dataset.Schema) (dataset.Schema, error) { return in, nil }

// Apply does nothing.
func (Told) Apply(dataset.Schema, *dataset.Block) error { return nil }

func init() { Register("test/tallying", &tallying{}, Told("")) }

// TestCounts holds that counting by key on workers is as counting in memory, of any bytes.
func TestCounts(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvOf(t, ex, "in", 200, rand.New(rand.NewPCG(9, 10)))
	p := Pipeline{&tallying{}}
	want, err := p.FitBlocks(src.Schema, all(t.Context(), src))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(want.Transforms()[0].(Told)); strings.Count(s, "{") != 6 || !strings.Contains(s, "122 0 122") || !strings.HasPrefix(s, "4") {
		t.Fatalf("%s", s) // 5 words, with what is missing, and one y
	}
	for _, split := range []int64{0, 500} {
		src.Split = split
		got, err := p.Fit(t.Context(), ex, src)
		if err != nil {
			t.Fatal(err)
		}
		if got.Transforms()[0] != want.Transforms()[0] {
			t.Errorf("%s\nand\n%s", got.Transforms()[0], want.Transforms()[0])
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, p := range []place{{0, "", ""}, {3, "a", "b"}, {3, "a\x00", "\x00b\x00"}, {1 << 30, "\xff", "\xfe\x00"}, {1, "x", "t"}, {1, "t", "x"}, {2, "é", "\u2028<&>"}} {
		if got, err := placeOf(p.key()); err != nil || got != p {
			t.Errorf("%+v: %+v, %v", p, got, err)
		}
	}
	for _, key := range []string{"", "1", "1\x00t", "1\x00t\x00", "x\x00t\x00t", "1\x00t\x00xzz", "1\x00q\x00t"} {
		if p, err := placeOf(key); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v, %v", key, p, err)
		}
	}
}

// TestNoRows holds what a dataset without rows is.
func TestNoRows(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := dataset.Source{
		URLs: []string{ex.Bucket().URL() + "/none.csv"}, Format: dataset.Format{Name: dataset.CSV},
		Schema: dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}, {Name: "s", Kind: dataset.String}}},
	}
	for _, text := range []string{"", "a,s\n"} {
		if err := ex.Bucket().Put(t.Context(), "none.csv", strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		for _, step := range []Step{MinMax{}, StandardScore{}, Robust{}, Quantile{}, Bins{}, YeoJohnson{}, Impute{}, Impute{With: MostFrequent}} {
			if _, err := (Pipeline{step}).Fit(t.Context(), ex, src); err == nil || !strings.Contains(err.Error(), "no row") && !strings.Contains(err.Error(), `column "a" has no value`) {
				t.Errorf("%T: %v", step, err)
			}
		}
		d, err := Describe(t.Context(), ex, src)
		if err != nil || d.Rows != 0 || len(d.Columns) != 2 || d.Columns[0].Count != 0 || d.Columns[0].Numbers != nil {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// TestTransform holds that a job writes the rows that Apply makes, in their order.
func TestTransform(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvOf(t, ex, "in", 300, rand.New(rand.NewPCG(11, 12)))
	f, err := Pipeline{Impute{}, StandardScore{}, Drop{[]string{"word"}}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	var want []float32
	for b, err := range all(t.Context(), src) {
		if err == nil {
			b = b.Clone()
			err = f.Apply(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		for row := range b.Rows {
			for _, c := range b.Columns {
				want = append(want, float32(c.Numbers[row]))
			}
		}
	}
	for _, split := range []int64{0, 1000} {
		src.Split = split
		url := fmt.Sprintf("%s/out-%d", ex.Bucket().URL(), split)
		done, err := f.Transform(t.Context(), ex, src, url, TransformOptions{ShardBytes: 4000, GroupRows: 50})
		if err != nil {
			t.Fatal(err)
		}
		set, err := dataset.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		if set.Rows() != int64(len(want)/3) || set.Rows() != done.Manifest.Rows || len(done.Manifest.Shards) < 2 {
			t.Fatalf("%d rows, want %d; %+v", set.Rows(), len(want)/3, done.Manifest)
		}
		var got []float32
		for g := range set.Groups() {
			var group dataset.Group
			if err := set.Read(t.Context(), g, &group); err != nil {
				t.Fatal(err)
			}
			for row := range group.Rows {
				got = append(append(got, group.Dense(row)...), group.Labels[row])
			}
		}
		if !slices.Equal(got, want) {
			t.Error("other rows")
		}
		if _, err := f.Transform(t.Context(), ex, src, url, TransformOptions{}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("again: %v", err)
		}
	}
}

// TestTransformFails holds that a job that fails leaves nothing, and names what was wrong.
func TestTransformFails(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvOf(t, ex, "in", 300, rand.New(rand.NewPCG(13, 14)))
	before := keysOf(t, ex.Bucket())
	f, err := Pipeline{Drop{[]string{"word"}}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	src.Split = 1000
	if _, err := f.Transform(t.Context(), ex, src, ex.Bucket().URL()+"/out", TransformOptions{}); err == nil || !strings.Contains(err.Error(), `column "a"`) || !strings.Contains(err.Error(), "impute") {
		t.Errorf("%v", err)
	}
	if after := keysOf(t, ex.Bucket()); !slices.Equal(after, before) {
		t.Errorf("the bucket had %v, and has %v", before, after)
	}
	src.Schema.Columns = src.Schema.Columns[1:]
	if _, err := f.Transform(t.Context(), ex, src, ex.Bucket().URL()+"/out", TransformOptions{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v", err)
	}
}

// TestSkipped holds that rows that were left out are told.
func TestSkipped(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	if err := ex.Bucket().Put(t.Context(), "in.csv", bytes.NewReader([]byte("a,s\n1,x\nz,x\n3,y\n4\n"))); err != nil {
		t.Fatal(err)
	}
	src := dataset.Source{
		URLs: []string{ex.Bucket().URL() + "/in.csv"}, Format: dataset.Format{Name: dataset.CSV, Bad: dataset.Skip}, Split: 8,
		Schema: dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}, {Name: "s", Kind: dataset.String}}},
	}
	for _, p := range []Pipeline{{MinMax{}, Drop{[]string{"s"}}}, {Impute{With: MostFrequent}, Drop{[]string{"s"}}}} {
		f, err := p.Fit(t.Context(), ex, src)
		if err != nil || len(f.Skipped) != 2 || f.Skipped[dataset.BadNumber] != 1 || f.Skipped[dataset.BadFields] != 1 {
			t.Fatalf("%v, %v", f, err)
		}
		again, err := Load(strings.NewReader(textOf(t, f)))
		if err != nil || textOf(t, again) != textOf(t, f) {
			t.Errorf("%v", err)
		}
		done, err := f.Transform(t.Context(), ex, src, fmt.Sprintf("%s/out-%T", ex.Bucket().URL(), p[0]), TransformOptions{})
		if err != nil || done.Manifest.Rows != 2 || done.Skipped[dataset.BadNumber] != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	d, err := Describe(t.Context(), ex, src)
	if err != nil || d.Rows != 2 || d.Skipped[dataset.BadFields] != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	src.Format.Bad, src.Split = dataset.Fail, 0
	if _, err := (Pipeline{MinMax{}}).Fit(t.Context(), ex, src); err == nil || !strings.Contains(err.Error(), "in.csv") || !strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), `column "a"`) {
		t.Errorf("%v", err)
	}
}
