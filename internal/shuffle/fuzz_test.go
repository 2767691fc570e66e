package shuffle

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
)

// sum makes the checksum of a block right, so that what is behind it is reached.
func sum(b []byte) []byte {
	if len(b) >= blockHeader {
		n := int64(binary.LittleEndian.Uint32(b[8:]))
		end := min(blockHeader+n, int64(len(b)))
		binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:end], castagnoli))
	}
	return b
}

// blocks are some that were written, for the fuzzer to begin with.
func blocks() [][]byte {
	var b block
	var all [][]byte
	for _, compress := range []bool{false, true} {
		for _, key := range []string{"", "a", "ab", "abc", "b"} {
			b.add([]byte(key), bytes.Repeat([]byte("v"), 20*len(key)))
		}
		all = append(all, bytes.Clone(b.finish(compress)))
	}
	return append(all, nil, append(bytes.Clone(all[0]), all[1]...), []byte("\x00\x00\x00\x00\xff\xff\xff\x3f\xff\xff\xff\x3f"))
}

// FuzzBlocks reads anything as a segment: it is an error or records, which are no more than the bytes can hold.
func FuzzBlocks(f *testing.F) {
	for _, b := range blocks() {
		f.Add(b, int64(len(b)))
		f.Add(b, int64(1<<40))
	}
	f.Fuzz(func(t *testing.T, data []byte, claimed int64) {
		data = sum(bytes.Clone(data))
		for _, size := range []int64{int64(len(data)), max(claimed, 0)} {
			r := blockReader{src: bytes.NewReader(data), left: size}
			for {
				records, err := r.next()
				if cap(r.stored) > 4*len(data)+3*blockSize {
					t.Fatalf("%d bytes are kept of %d", cap(r.stored), len(data))
				}
				if err == io.EOF {
					if size > int64(len(data)) {
						t.Fatalf("%d bytes are read as %d", len(data), size)
					}
					break
				}
				if err != nil {
					if !errors.Is(err, ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Fatal(err)
					}
					break
				}
				var key []byte
				for len(records) > 0 {
					p, err := parse(records, len(key))
					if err != nil {
						break
					}
					if p.size <= 0 || p.size > len(records) || p.shared > len(key) || len(p.rest)+len(p.value) > p.size {
						t.Fatalf("a record of %d bytes: %+v", len(records), p)
					}
					key = append(key[:p.shared], p.rest...)
					records = records[p.size:]
				}
			}
		}
	})
}

// FuzzKeys decodes anything as keys of several types. What is a key has these bytes and no others.
func FuzzKeys(f *testing.F) {
	for _, b := range []string{"", "a", "\x80", "\x7f", "\x81\x01", "\x7e\x00", "\x88\xff\xff\xff\xff\xff\xff\xff\xff", "12345678", "\xff\xf8\x00\x00\x00\x00\x00\x00"} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		again[string](t, data)
		again[int](t, data)
		again[int8](t, data)
		again[int32](t, data)
		again[uint](t, data)
		again[uint16](t, data)
		again[float32](t, data)
		again[float64](t, data)
	})
}

func again[K cmp.Ordered](t *testing.T, data []byte) {
	t.Helper()
	c := NewKeys[K]()
	if k, err := c.Decode(data); err != nil {
		if !errors.Is(err, ErrCorrupt) {
			t.Error(err)
		}
	} else if b := c.Bytes(nil, k); !bytes.Equal(b, data) {
		t.Errorf("% x is %v, whose bytes are % x", data, k, b)
	}
}

// FuzzTask reads what any bytes tell a reduce task to, without a bucket: it ends, in order, whatever was read.
func FuzzTask(f *testing.F) {
	for _, b := range blocks() {
		data, err := serialize.Marshal(&Task{Segments: []Segment{{Data: b, Size: int64(len(b))}, {Data: b, After: true}}, From: []byte("a"), To: []byte("b")})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	missing := errors.New("no bucket")
	f.Fuzz(func(t *testing.T, data []byte) {
		var task Task
		if serialize.Unmarshal(data, &task) != nil {
			return
		}
		for i := range task.Segments {
			sum(task.Segments[i].Data)
		}
		m, err := NewMerge(t.Context(), &task, func(context.Context) (storage.Bucket, error) { return nil, missing }, "f", "n")
		if err != nil {
			if !errors.Is(err, missing) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			return
		}
		defer m.Close()
		for m.NextKey() {
			for m.NextValue() {
			}
		}
	})
}
