package preprocess

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage/filestore"
)

// TestBoundedMemory goes through a dataset of 100 MB with a worker of 256 MB, which would be killed above that: it is described,
// scalers and vocabularies are fitted to it, and it is transformed. GOWREN_TEST_GB has another size.
func TestBoundedMemory(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("it goes through 100 MB three times")
	}
	size := int64(100_000_000)
	if gb, err := strconv.ParseFloat(os.Getenv("GOWREN_TEST_GB"), 64); err == nil {
		size = int64(gb * 1e9)
	}
	rows := size / madeWidth
	src := dataset.Source{URLs: []string{made{rows}.URL()}, Format: dataset.Format{Name: dataset.CSV, NoHeader: true}}
	src.Schema.Columns = append(src.Schema.Columns, dataset.Column{Name: "label", Kind: dataset.Number, Role: dataset.Label})
	for i := range madeNumbers {
		src.Schema.Columns = append(src.Schema.Columns, dataset.Column{Name: fmt.Sprint("n", i), Kind: dataset.Number})
	}
	src.Schema.Columns = append(src.Schema.Columns, dataset.Column{Name: "word", Kind: dataset.String}, dataset.Column{Name: "group", Kind: dataset.String})

	var peak atomic.Int64
	ex, err := mapper.Open(t.Context(), mapper.Config{
		Backend: "local://?workers=1&memory=256", Storage: filestore.URL(t.TempDir()),
		Options: mapper.Options{Quiet: true, Stats: func(s mapper.Stats) { peak.Store(max(peak.Load(), s.PeakMemory)) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	}()
	begun := time.Now()
	step := func(what string) {
		t.Logf("%s of %.1f GB: %v, the worker had %d MB at most", what, float64(rows*madeWidth)/1e9, time.Since(begun).Round(time.Second/10), peak.Load()>>20)
		begun = time.Now()
	}
	d, err := Describe(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	step("description")
	if c := d.Columns[1]; d.Rows != rows || c.Missing != (rows+6)/7 || c.Numbers.Max >= 1 || c.Numbers.Mean < .49 || c.Numbers.Mean > .51 {
		t.Errorf("%d rows of %d: %+v", d.Rows, rows, c)
	}
	if c := d.Columns[len(d.Columns)-1]; c.Count != rows || c.Frequent[0] != (Frequent{"00000000", 50}) {
		t.Errorf("%+v", c)
	}
	f, err := Pipeline{
		Impute{Columns: []string{"n0"}, With: Median}, StandardScore{},
		OneHot{Columns: []string{"word", "group"}, Most: 1000, Unknown: UnknownOther},
	}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	step("fitting, with vocabularies,")
	out, err := f.Transform(t.Context(), ex, src, made{}.URL(), TransformOptions{})
	if err != nil {
		t.Fatal(err)
	}
	step("transformation")
	if m := out.Manifest; m.Rows != rows || m.Width != madeNumbers+2*1001 || !m.Sparse {
		t.Errorf("%d rows of %d numbers, sparse: %t", m.Rows, m.Width, m.Sparse)
	}
	if peak.Load() == 0 {
		t.Log("this system does not tell how much memory a process had")
	}
}
