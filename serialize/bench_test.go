package serialize_test

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gowren/gowren/serialize"
)

func BenchmarkInt(b *testing.B) {
	c, n, buf := serialize.NewCoder(), 12345, []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = c.Append(buf[:0], &n)
		if err := c.Decode(buf, &n); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloat64s1M stands beside floors that copy the same memory: into memory that is there, and into fresh memory.
func BenchmarkFloat64s1M(b *testing.B) {
	x := make([]float64, 1_000_000)
	for i := range x {
		x[i] = float64(i)
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 8*len(x))
	size := int64(len(memory))
	c := serialize.NewCoder()
	data, err := c.Append(nil, &x)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("floor/copy", func(b *testing.B) {
		b.SetBytes(size)
		dst := make([]byte, size)
		for b.Loop() {
			copy(dst, memory)
		}
	})
	b.Run("floor/fresh", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			_ = append([]byte(nil), memory...)
		}
	})
	b.Run("encode/reused", func(b *testing.B) {
		b.SetBytes(size)
		buf := data
		for b.Loop() {
			buf, _ = c.Append(buf[:0], &x)
		}
	})
	b.Run("encode/fresh", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			_, _ = c.Append(nil, &x)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(size)
		var y []float64
		for b.Loop() {
			if err := c.Decode(data, &y); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode/field", func(b *testing.B) {
		type holder struct{ V vector }
		held, err := c.Append(nil, &holder{x})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		for b.Loop() {
			var h holder
			if err := c.Decode(held, &h); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkStruct(b *testing.B) {
	type record struct {
		ID    int
		Name  string
		Score float64
		Tags  []string
		At    point
		Vec   []float32
	}
	x := record{7, "a name", 0.5, []string{"a", "b"}, point{1, 2}, make([]float32, 16)}
	bench(b, &x)
}

func BenchmarkMapStringInt(b *testing.B) {
	x := map[string]int{}
	for i := range 200_000 {
		x[fmt.Sprintf("word-%d", i*7919%1_000_003)] = i
	}
	bench(b, &x)
}

func BenchmarkMapStringFloats(b *testing.B) {
	x := map[string][]float64{}
	for i := range 1000 {
		x[fmt.Sprint("key", i)] = make([]float64, 10)
	}
	bench(b, &x)
}

// bench measures both directions, beside msgpack's own without sorted keys.
func bench[T any](b *testing.B, x *T) {
	c := serialize.NewCoder()
	data, err := c.Append(nil, x)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		buf := data
		for b.Loop() {
			buf, _ = c.Append(buf[:0], x)
		}
	})
	data, _ = c.Append(nil, x)
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var y T
			if err := c.Decode(data, &y); err != nil {
				b.Fatal(err)
			}
		}
	})
	theirs, err := msgpack.Marshal(x)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("msgpack/encode", func(b *testing.B) {
		b.SetBytes(int64(len(theirs)))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = msgpack.Marshal(x)
		}
	})
	b.Run("msgpack/decode", func(b *testing.B) {
		b.SetBytes(int64(len(theirs)))
		b.ReportAllocs()
		for b.Loop() {
			var y T
			if err := msgpack.Unmarshal(theirs, &y); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	var text []byte
	for i := range 100_000 {
		text = fmt.Appendf(text, "%d,%d,some text\n", i, i*i%977)
	}
	packed := serialize.Compress(nil, text)
	b.Run("floor/copy", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		dst := make([]byte, len(text))
		for b.Loop() {
			copy(dst, text)
		}
	})
	b.Run("compress", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		buf := packed
		for b.Loop() {
			buf = serialize.Compress(buf[:0], text)
		}
		b.ReportMetric(float64(len(text))/float64(len(buf)), "ratio")
	})
	packed = serialize.Compress(nil, text)
	b.Run("decompress", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		var buf []byte
		for b.Loop() {
			var err error
			if buf, err = serialize.Decompress(buf[:0], packed, len(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
