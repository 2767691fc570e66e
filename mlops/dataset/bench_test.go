package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/internal/decimal/decimaltest"
	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/storage/filestore"
)

// higgs writes rows as those of the Higgs data: a label and 28 numbers of 32 bits, with a header.
func higgs(b *testing.B, size int) string {
	b.Helper()
	random := rand.New(rand.NewPCG(20260101, 1))
	path := filepath.Join(b.TempDir(), "higgs.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	line := []byte("label")
	for i := range 28 {
		line = fmt.Appendf(line, ",f%d", i+1)
	}
	line = append(line, '\n')
	for n := 0; n < size; n += len(line) {
		if n > 0 {
			line = append(line[:0], '0'+byte(random.IntN(2)))
			for i := range 28 {
				x := random.NormFloat64()
				switch i % 4 {
				case 1:
					x = math.Exp(0.5*x) / 1.13
				case 2:
					x = (random.Float64()*2 - 1) * 1.74
				case 3:
					if i < 21 {
						x = float64(random.IntN(3)) * 1.0865
					}
				}
				line = strconv.AppendFloat(append(line, ','), float64(float32(x)), 'g', -1, 32)
			}
			line = append(line, '\n')
		}
		if _, err := w.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkCSV finds the moments of all columns, with as many goroutines as there are processors (-cpu), beside the loop by hand
// that neither checks anything nor sums exactly, and beside reading alone.
func BenchmarkCSV(b *testing.B) {
	const size = 96 << 20
	path := higgs(b, size)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	src := Source{URLs: []string{filestore.URL(path)}, Format: Format{Name: CSV}, Split: 4 << 20}
	if src.Schema, err = Infer(b.Context(), src); err != nil {
		b.Fatal(err)
	}
	parts, err := src.Parts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	// share has each goroutine take one part after another.
	share := func(b *testing.B, work func(next func() (Part, bool))) {
		b.SetBytes(info.Size())
		for b.Loop() {
			var taken atomic.Int64
			var wg sync.WaitGroup
			for range runtime.GOMAXPROCS(0) {
				wg.Go(func() {
					work(func() (Part, bool) {
						if i := int(taken.Add(1)) - 1; i < len(parts) {
							return parts[i], true
						}
						return Part{}, false
					})
				})
			}
			wg.Wait()
		}
	}
	read := func(b *testing.B, moments bool) {
		share(b, func(next func() (Part, bool)) {
			all := make([]exact.Moments, len(src.Schema.Columns))
			for p, ok := next(); ok; p, ok = next() {
				for block, err := range src.Blocks(b.Context(), p) {
					if err != nil {
						b.Error(err)
						return
					}
					for i := range block.Columns {
						if moments {
							all[i].AddAll(block.Columns[i].Numbers)
						}
					}
				}
			}
		})
	}
	b.Run("statistics", func(b *testing.B) { read(b, true) })
	b.Run("read", func(b *testing.B) { read(b, false) })
	b.Run("floor", func(b *testing.B) {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		share(b, func(next func() (Part, bool)) {
			buf := make([]byte, 4<<20+4096)
			var s decimaltest.Stat
			for p, ok := next(); ok; p, ok = next() {
				n, err := f.ReadAt(buf, p.Off)
				if err != nil && err != io.EOF {
					b.Error(err)
					return
				}
				data := buf[:n]
				if n > int(p.Len) { // up to the end of the line that goes beyond
					data = data[:int(p.Len)+bytes.IndexByte(data[p.Len:], '\n')+1]
				}
				s.Lines(data[bytes.IndexByte(data, '\n')+1:]) // without the header, or what is of the part before
			}
		})
	})
}

// BenchmarkCriteo reads rows of 14 numbers and 26 strings, on one goroutine, beside a loop that hashes the bytes of all strings.
func BenchmarkCriteo(b *testing.B) {
	random := rand.New(rand.NewPCG(20260101, 2))
	var text []byte
	for len(text) < 32<<20 {
		text = append(text, '0'+byte(random.IntN(2)))
		for i := range 13 {
			text = append(text, '\t')
			if random.Float64() >= 0.03*float64(i) {
				text = strconv.AppendInt(text, int64(math.Exp(1+float64(i%5)+0.7*random.NormFloat64())), 10)
			}
		}
		for range 26 {
			text = fmt.Appendf(text, "\t%08x", random.Uint32())
		}
		text = append(text, '\n')
	}
	path := benchRead(b, text, Format{Name: Criteo}, CriteoSchema())
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		var sum uint64
		for b.Loop() {
			data, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			h := uint64(14695981039346656037)
			for _, c := range data {
				if c == '\t' || c == '\n' {
					sum += h
					h = 14695981039346656037
				} else {
					h = (h ^ uint64(c)) * 1099511628211
				}
			}
		}
		if sum == 0 {
			b.Fatal("nothing was hashed")
		}
	})
}

// BenchmarkCSVStrings reads rows of 20 words, of which none is missing, but some begin like what is.
func BenchmarkCSVStrings(b *testing.B) {
	random := rand.New(rand.NewPCG(20260101, 5))
	words := []string{"Norway", "Ann", "no", "None such", "name", "nut", "7", "1.5", "-3", "a word", "Ulm", "x", "Nantes", "#7", "<b>"}
	var text []byte
	schema := Schema{}
	for i := range 20 {
		schema.Columns = append(schema.Columns, Column{Name: fmt.Sprint("c", i), Kind: String})
	}
	for len(text) < 16<<20 {
		for range 20 {
			text = append(append(text, words[random.IntN(len(words))]...), ',')
		}
		text[len(text)-1] = '\n'
	}
	benchRead(b, text, Format{Name: CSV, NoHeader: true}, schema)
}

// benchRead reads a text of a format on one goroutine, and returns the path of the file that has it.
func benchRead(b *testing.B, text []byte, f Format, schema Schema) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "data")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.Fatal(err)
	}
	src := Source{URLs: []string{filestore.URL(path)}, Format: f, Schema: schema}
	parts, err := src.Parts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			for _, p := range parts {
				for _, err := range src.Blocks(b.Context(), p) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	})
	return path
}

// BenchmarkLibSVM reads rows of 70 features, beside a loop that checks nothing.
func BenchmarkLibSVM(b *testing.B) {
	random := rand.New(rand.NewPCG(20260101, 3))
	var text []byte
	for len(text) < 32<<20 {
		text = append(text, "+1"...)
		for i, n := 0, 0; n < 70; n++ {
			i += 1 + random.IntN(1000)
			text = strconv.AppendInt(append(text, ' '), int64(i), 10)
			text = strconv.AppendFloat(append(text, ':'), random.Float64(), 'g', -1, 32)
		}
		text = append(text, '\n')
	}
	path := benchRead(b, text, Format{Name: LibSVM}, LibSVMSchema(100_000))
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			data, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			var idx []uint32
			var val []float32
			for i := 0; i < len(data); i++ {
				idx, val, i = idx[:0], val[:0], i+2
				for data[i] != '\n' {
					n := uint32(0)
					for i++; data[i] != ':'; i++ {
						n = n*10 + uint32(data[i]-'0')
					}
					var x float64
					x, i = decimaltest.Float(data, i+1)
					idx, val = append(idx, n-1), append(val, float32(x))
				}
			}
		}
	})
}

// BenchmarkJSONLines reads rows of 10 numbers and a string, beside the check that they are JSON.
func BenchmarkJSONLines(b *testing.B) {
	random := rand.New(rand.NewPCG(20260101, 4))
	var text []byte
	schema := Schema{Columns: []Column{{Name: "name", Kind: String}}}
	for i := range 10 {
		schema.Columns = append(schema.Columns, Column{Name: fmt.Sprint("column", i), Kind: Number})
	}
	for len(text) < 16<<20 {
		text = append(text, `{"name":"a name"`...)
		for i := range 10 {
			text = strconv.AppendFloat(fmt.Appendf(text, `,"column%d":`, i), random.NormFloat64(), 'g', 7, 64)
		}
		text = append(text, "}\n"...)
	}
	path := benchRead(b, text, Format{Name: JSONLines}, schema)
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			data, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			for line := range bytes.Lines(data) {
				if !json.Valid(line) {
					b.Fatal("no JSON")
				}
			}
		}
	})
}
