package storagetest

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// Bench measures puts and gets of 1 KiB and of 8 MiB, and a listing of 1,000 objects. open is as for [Run].
func Bench(b *testing.B, open func(b *testing.B) storage.Bucket) {
	for _, size := range []int{1 << 10, 8 << 20} {
		data := []byte(pattern(size))
		name := strconv.Itoa(size>>10) + "KiB"
		b.Run("put/"+name, func(b *testing.B) {
			bucket := open(b)
			defer bucket.Close()
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				if err := bucket.Put(b.Context(), "k/"+strconv.Itoa(i%64), bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("get/"+name, func(b *testing.B) {
			bucket := open(b)
			defer bucket.Close()
			if err := bucket.Put(b.Context(), "k/0", bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			buf := make([]byte, 256<<10)
			for b.Loop() {
				r, err := bucket.Get(b.Context(), "k/0", 0, -1)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
	b.Run("list/1000", func(b *testing.B) {
		bucket := open(b)
		defer bucket.Close()
		for i := range 1000 {
			if err := bucket.Put(b.Context(), "k/"+strconv.Itoa(i), strings.NewReader("x")); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			for _, err := range bucket.List(b.Context(), "") {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
