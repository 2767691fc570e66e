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
