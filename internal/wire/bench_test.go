package wire

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkResult writes a result's frame and reads it, beside what copying its value costs.
func BenchmarkResult(b *testing.B) {
	for _, size := range []int{8, 1 << 10, 64 << 10} {
		value := bytes.Repeat([]byte{7}, size)
		b.Run(fmt.Sprintf("frame/%d", size), func(b *testing.B) {
			var buf []byte
			var src bytes.Reader
			var r Reader
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendResult(buf[:0], 1, value)
				src.Reset(buf)
				r.Reset(&src)
				_, payload, err := r.Next()
				if err != nil {
					b.Fatal(err)
				}
				if _, v, err := DecodeResult(payload); err != nil || len(v) != size {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("memcpy/%d", size), func(b *testing.B) { // the floor: written once, read once
			x, y := make([]byte, size), make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				copy(x, value)
				copy(y, x)
			}
		})
	}
}

// BenchmarkReplies reads a stream of small results, as a driver does.
func BenchmarkReplies(b *testing.B) {
	const n = 1000
	var all []byte
	for i := range n {
		all = AppendResult(all, i, []byte("12345678"))
	}
	var src bytes.Reader
	var r Reader
	for b.Loop() {
		src.Reset(all)
		r.Reset(&src)
		for range n {
			if _, _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/frame")
}
