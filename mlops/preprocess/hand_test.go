package preprocess

import (
	"bytes"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// handLines has two goroutines go through whole lines of a file, 4 MiB at a time.
func handLines(b *testing.B, path string, work func(by int, data []byte)) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	size := sizeOf(b, path)
	const split = 4 << 20
	var next atomic.Int64
	var wg sync.WaitGroup
	for by := range 2 {
		wg.Go(func() {
			buf := make([]byte, split+1<<14)
			for at := next.Add(split) - split; at < size; at = next.Add(split) - split {
				n, err := f.ReadAt(buf, at)
				if err != nil && err != io.EOF {
					b.Error(err)
					return
				}
				data := buf[:n]
				if n > split { // up to the end of the line that goes beyond
					data = data[:split+bytes.IndexByte(data[split:], '\n')+1]
				}
				if at > 0 { // what is of the part before
					data = data[bytes.IndexByte(data, '\n')+1:]
				}
				work(by, data)
			}
		})
	}
	wg.Wait()
}

// handStat is as little as can be told of 29 columns.
type handStat struct{ min, max, sum, sq [29]float64 }

func (s *handStat) numbers(data []byte) {
	c := 0
	for i := 0; i < len(data); i++ {
		var v float64
		v, i = handFloat(data, i)
		s.min[c], s.max[c] = min(s.min[c], v), max(s.max[c], v)
		s.sum[c] += v
		s.sq[c] += v * v
		if c++; data[i] == '\n' {
			c = 0
		}
	}
}

var handPowers = [23]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// handFloat reads a number that is one, of up to 15 digits.
func handFloat(b []byte, i int) (float64, int) {
	neg := b[i] == '-'
	if neg {
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
		point := i
		for b[i]-'0' < 10 {
			m = m*10 + uint64(b[i]-'0')
			i++
		}
		e = point - i
	}
	if b[i] == 'e' {
		i++
		sign := 1
		if b[i] == '-' { // nobody writes a plus
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

// handHashes adds up the FNV-1a hashes of all fields from the 15th on, by column.
func handHashes(data []byte) (sum uint64) {
	const begin, by = 14695981039346656037, 1099511628211
	c, h := uint64(0), uint64(begin)
	for _, x := range data {
		switch x {
		case ',', '\n':
			if c >= 14 {
				sum += (h ^ h>>32) & (1<<18 - 1)
			}
			if c++; x == '\n' {
				c = 0
			}
			h = (begin ^ c) * by
		default:
			h = (h ^ uint64(x)) * by
		}
	}
	return sum
}
