package preprocess

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowren/gowren/internal/decimal/decimaltest"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/dataset/synth"
	"github.com/gowren/gowren/storage/filestore"
)

var (
	higgsFile  = flag.String("higgs", "", "CSV without a header, of a label and 28 numbers, for BenchmarkHiggs; made where it is empty")
	criteoFile = flag.String("criteo", "", "CSV with a header, of a label, 13 numbers and 26 strings, for BenchmarkCriteo; made where it is empty")
)

// workers is an executor with two worker processes, which have started.
func workers(b *testing.B, options string) *mapper.Executor {
	b.Helper()
	b.Setenv("GORACE", "atexit_sleep_ms=0")
	ex, err := mapper.Open(b.Context(), mapper.Config{Backend: "local://?workers=2" + options, Storage: filestore.URL(b.TempDir()), Options: mapper.Options{Quiet: true}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := ex.Close(); err != nil {
			b.Error(err)
		}
	})
	if _, err := mapper.Map(b.Context(), ex, nothing, make([]int, 8)); err != nil {
		b.Fatal(err)
	}
	return ex
}

var nothing = mapper.Func("nothing", func(_ context.Context, x int) (int, error) { return x, nil })

// madeFile writes a table's rows to a file, unless there is one already.
func madeFile(b *testing.B, file, header string, t synth.Table, rows int64) string {
	b.Helper()
	if file != "" {
		return file
	}
	path := filepath.Join(b.TempDir(), "rows.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = w.WriteString(header)
	if err = errors.Join(err, synth.Write(w, t, 0, rows), w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

func sizeOf(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// BenchmarkHiggs goes through a million rows of 28 numbers as CSV in the page cache, on two worker processes, beside a loop by
// hand on two goroutines that checks nothing and rounds as it sums up.
func BenchmarkHiggs(b *testing.B) {
	table := synth.NewHiggs(1)
	path := madeFile(b, *higgsFile, "", table, 1_000_000)
	size := sizeOf(b, path)
	src := dataset.Source{URLs: []string{filestore.URL(path)}, Format: dataset.Format{Name: dataset.CSV, NoHeader: true}, Schema: table.Schema()}
	ex := workers(b, "")
	b.Run("describe", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			d, err := Describe(b.Context(), ex, src)
			if err != nil {
				b.Fatal(err)
			}
			if len(d.Columns) != 29 || d.Rows < 1000 {
				b.Fatalf("%+v", d)
			}
		}
	})
	for _, step := range []Step{MinMax{}, StandardScore{}} {
		name := fmt.Sprintf("%T", step)[len("preprocess."):]
		b.Run(name+"/fit", func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if _, err := (Pipeline{step}).Fit(b.Context(), ex, src); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/fit and transform", func(b *testing.B) {
			b.SetBytes(size)
			benchTransform(b, ex, src, func() (*Fitted, error) { return Pipeline{step}.Fit(b.Context(), ex, src) })
		})
	}
	b.Run("floor/statistics", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			all := [2]decimaltest.Stat{}
			handLines(b, path, func(by int, data []byte) { all[by].Lines(data) })
		}
	})
}

// benchTransform transforms to shards on disk, which it removes, with what fit returns each time.
func benchTransform(b *testing.B, ex *mapper.Executor, src dataset.Source, fit func() (*Fitted, error)) {
	b.Helper()
	dir := b.TempDir()
	for n := 0; b.Loop(); n++ {
		f, err := fit()
		if err != nil {
			b.Fatal(err)
		}
		to := filepath.Join(dir, fmt.Sprint(n))
		if _, err := f.Transform(b.Context(), ex, src, filestore.URL(to), TransformOptions{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := os.RemoveAll(to); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkCriteo hashes 26 columns of half a million rows of CSV in the page cache to 2¹⁸ places, on two worker processes: to
// vectors that are dropped, and to shards; beside a loop by hand on two goroutines that hashes bytes and adds the hashes up.
func BenchmarkCriteo(b *testing.B) {
	header := "label"
	schema := dataset.Schema{Columns: []dataset.Column{{Name: "label", Kind: dataset.Number, Role: dataset.Label}}}
	for i := range 13 {
		header += fmt.Sprint(",I", i+1)
	}
	for i := range 26 {
		name := fmt.Sprint("C", i+1)
		header += "," + name
		schema.Columns = append(schema.Columns, dataset.Column{Name: name, Kind: dataset.String})
	}
	table := synth.NewCriteo(1)
	table.Comma = ','
	path := madeFile(b, *criteoFile, header+"\n", table, 500_000)
	size := sizeOf(b, path)
	src := dataset.Source{URLs: []string{filestore.URL(path)}, Format: dataset.Format{Name: dataset.CSV}, Schema: schema}
	ex := workers(b, "")
	f, err := (Pipeline{Hash{Bits: 18}}).Fit(b.Context(), ex, src)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("hash", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			parts, err := src.Parts(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			rows, err := mapper.Map(b.Context(), ex, hashPart.With(src), parts)
			if err != nil || len(rows) == 0 {
				b.Fatal(rows, err)
			}
		}
	})
	b.Run("transform", func(b *testing.B) {
		b.SetBytes(size)
		benchTransform(b, ex, src, func() (*Fitted, error) { return f, nil })
	})
	b.Run("floor/hashes", func(b *testing.B) {
		b.SetBytes(size)
		sums := [2]uint64{}
		for b.Loop() {
			handLines(b, path, func(by int, data []byte) { sums[by] += handHashes(data) })
		}
		if sums[0]+sums[1] == 0 {
			b.Log("the sum of all hashes is 0")
		}
	})
}

// hashPart hashes a part, and counts its rows and what is stored of them.
var hashPart = mapper.FuncWith("hash", func(ctx context.Context, src dataset.Source, p dataset.Part) (n int, err error) {
	plan, err := Hash{Bits: 18}.Plan(src.Schema)
	if err != nil {
		return 0, err
	}
	own := &dataset.Block{}
	for b, err := range src.Blocks(ctx, p) {
		if err != nil {
			return 0, err
		}
		own.Rows, own.IDs, own.Columns = b.Rows, b.IDs, append(own.Columns[:0], b.Columns...)
		if err := plan.Transform.Apply(src.Schema, own); err != nil {
			return 0, err
		}
		n += own.Rows + len(own.Columns[len(own.Columns)-1].Vectors.Idx)
	}
	return n, nil
})
