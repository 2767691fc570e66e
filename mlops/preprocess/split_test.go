package preprocess

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// TestSplits holds that what is fitted has the same bits however rows are ordered, divided and merged.
func TestSplits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	steps := map[string]Pipeline{
		"minmax":        {MinMax{}},
		"maxabs":        {MaxAbs{}},
		"standardscore": {StandardScore{}},
		"robust":        {Robust{}},
		"quantile":      {Quantile{}},
		"bins":          {Bins{}},
		"bins equal":    {Bins{Equal: true, Bins: 9}},
		"clip":          {Clip{Low: .1, High: .8, Quantiles: true}},
		"yeojohnson":    {YeoJohnson{}},
		"mean":          {Impute{}},
		"median":        {Impute{With: Median}},
		"most frequent": {Impute{With: MostFrequent}},
		"chain":         {Impute{With: MostFrequent}, StandardScore{Columns: []string{"a", "b"}}, Interact{Columns: []string{"a", "b", "c"}}, MinMax{}},
	}
	for range 5 {
		x := randomTable(1+random.IntN(300), random)
		for _, c := range x.cols { // a value in each column
			c[0] = float64(random.IntN(4))
		}
		x.words[0] = "x"
		for name, p := range steps {
			want := textOf(t, fitOf(t, x, p...))
			for range 4 {
				f, err := splitFit(x, p, random)
				if err != nil {
					t.Fatal(name, err)
				}
				if got := textOf(t, f); got != want {
					t.Fatalf("%s of %d rows:\n%s\nand\n%s", name, x.rows(), got, want)
				}
			}
		}
	}
}

// TestSampleSplits holds the same of samples that are smaller than the data, also where rows have the same ID.
func TestSampleSplits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	const rows, most = 5000, 300
	ids, values := make([]uint64, rows), make([]float64, rows)
	for i := range ids {
		ids[i], values[i] = uint64(random.IntN(rows/2)), random.NormFloat64()
	}
	var want []float64
	for range 20 {
		parts := make([]sample, 1+random.IntN(9))
		for i := range parts {
			parts[i] = sample{Most: most, Width: 1}
		}
		for _, i := range random.Perm(rows) {
			if err := parts[random.IntN(len(parts))].see(ids[i:i+1], [][]float64{values[i : i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		for len(parts) > 1 {
			var a, b sample
			for s, to := range map[*sample]*sample{&parts[0]: &a, &parts[1]: &b} {
				data, err := s.MarshalBinary()
				if err == nil {
					err = to.UnmarshalBinary(data)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := a.merge(&b); err != nil {
				t.Fatal(err)
			}
			parts = append(parts[2:], a)
		}
		got := parts[0].column(0)
		if len(got) != most {
			t.Fatalf("%d rows", len(got))
		}
		if want == nil {
			want = got
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("value %d of the sample: %v and %v", i, got[i], want[i])
			}
		}
	}
}

// TestSampleBound holds the bound on ranks that is documented, of all values of a sample at once.
func TestSampleBound(t *testing.T) {
	t.Parallel()
	s := newSample(1)
	if s.Most != 1<<16 {
		t.Fatalf("%d rows", s.Most)
	}
	const rows = 1 << 20
	ids, values := make([]uint64, 1024), make([]float64, 1024)
	for at := 0; at < rows; at += len(ids) {
		for i := range ids {
			ids[i], values[i] = uint64(at+i), float64(at+i)/rows // IDs in order: the sample hashes them
		}
		if err := s.see(ids, [][]float64{values}); err != nil {
			t.Fatal(err)
		}
		if len(s.Hashes) > 2*s.Most {
			t.Fatalf("%d rows are held", len(s.Hashes))
		}
	}
	got := s.column(0)
	worst := 0.
	for i, x := range got {
		worst = max(worst, math.Abs(x-float64(i)/float64(len(got))))
	}
	if len(got) != s.Most || worst > .011 {
		t.Errorf("%d rows, and a rank is off by %.4f", len(got), worst)
	}
	t.Logf("the worst rank of %d sampled rows is off by %.4f", len(got), worst)
	for width, most := range map[int]int{31: 1 << 16, 32: 63550, 1 << 22: 1} {
		if got := newSample(width).Most; got != most {
			t.Errorf("%d rows of %d numbers, want %d", got, width, most)
		}
	}
}

// TestDescribeSplits holds that descriptions have the same bits, too.
func TestDescribeSplits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	x := randomTable(2000, random)
	var want string
	for range 8 {
		d, err := describe(x.schema(), func(ops []op) ([]op, dataset.Skipped, error) { return splitLearn(x, ops, random) })
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(got)
		}
		if string(got) != want {
			t.Fatalf("%s\nand\n%s", got, want)
		}
	}
}
