package dataset

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/storage/filestore"
)

// higgs writes rows as those of the Higgs data: a label and 28 numbers of 32 bits.
func higgs(b *testing.B, header bool, size int) string {
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
	if !header {
		line = line[:0]
	}
	for n := 0; n < size; n += len(line) {
		if n > 0 || !header {
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

// BenchmarkCSV finds the moments of all columns, on one core but for what the system reads ahead, beside the loop by hand that
// neither checks anything nor sums exactly, and beside reading alone.
func BenchmarkCSV(b *testing.B) {
	const size = 64 << 20
	path := higgs(b, true, size)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	src := Source{URLs: []string{filestore.URL(path)}, Format: Format{Name: CSV}}
	if src.Schema, err = Infer(b.Context(), src); err != nil {
		b.Fatal(err)
	}
	parts, err := src.Parts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B, use func(*Block)) {
		b.SetBytes(info.Size())
		for b.Loop() {
			for _, p := range parts {
				for block, err := range src.Blocks(b.Context(), p) {
					if err != nil {
						b.Fatal(err)
					}
					use(block)
				}
			}
		}
	}
	b.Run("statistics", func(b *testing.B) {
		moments := make([]exact.Moments, len(src.Schema.Columns))
		read(b, func(block *Block) {
			for i := range block.Columns {
				moments[i].AddAll(block.Columns[i].Numbers)
			}
		})
	})
	b.Run("read", func(b *testing.B) { read(b, func(*Block) {}) })
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(info.Size())
		for b.Loop() {
			handLoop(b, path)
		}
	})
}

type handStat struct{ min, max, sum, sq [29]float64 }

// handLoop reads a file of whole lines with as little as can be.
func handLoop(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var s handStat
	buf := make([]byte, 4<<20)
	kept, first := 0, true
	for {
		n, err := f.Read(buf[kept:])
		if n == 0 {
			if err == nil {
				continue
			}
			return
		}
		data := buf[:kept+n]
		end := bytes.LastIndexByte(data, '\n') + 1
		i := 0
		if first {
			i, first = bytes.IndexByte(data, '\n')+1, false
		}
		for c := 0; i < end; i++ {
			var v float64
			v, i = handFloat(data, i)
			s.min[c], s.max[c] = min(s.min[c], v), max(s.max[c], v)
			s.sum[c] += v
			s.sq[c] += v * v
			if c++; data[i] == '\n' {
				c = 0
			}
		}
		kept = copy(buf, data[end:])
	}
}

var handPowers = [23]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func handFloat(b []byte, i int) (float64, int) {
	neg := false
	if b[i] == '-' {
		neg = true
		i++
	}
	var m uint64
	for b[i]-'0' < 10 {
		m = m*10 + uint64(b[i]-'0')
		i++
	}
	e := 0
	if b[i] == '.' {
		i++
		p := i
		for b[i]-'0' < 10 {
			m = m*10 + uint64(b[i]-'0')
			i++
		}
		e = p - i
	}
	if b[i] == 'e' {
		i++
		sign := 1
		if b[i] == '-' {
			sign = -1
			i++
		}
		x := 0
		for b[i]-'0' < 10 {
			x = x*10 + int(b[i]-'0')
			i++
		}
		e += sign * x
	}
	v := float64(m)
	if e < 0 {
		v /= handPowers[-e]
	} else {
		v *= handPowers[e]
	}
	if neg {
		v = -v
	}
	return v, i
}
