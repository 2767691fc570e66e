package dataset

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

var update = flag.Bool("update", false, "write the golden files")

// shardOf returns the bytes of one shard of n rows.
func shardOf(t testing.TB, k kind, n int, o WriterOptions) ([]byte, *Set, []row) {
	t.Helper()
	b := memstore.New()
	o.Schema = k.schema()
	w, err := NewWriter(t.Context(), b, "job", o)
	if err != nil {
		t.Fatal(err)
	}
	batch := k.make(rand.New(rand.NewPCG(3, 4)), 0, n)
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	shards, err := w.Close()
	if err != nil || len(shards) != 1 {
		t.Fatal(shards, err)
	}
	m, err := newManifest(o.Schema, shards)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Get(t.Context(), shards[0].Key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var data bytes.Buffer
	if _, err := data.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return data.Bytes(), newSet(&m, b), rowsOf(batch)
}

// small are the forms whose bytes tests look at one by one.
var small = []struct {
	name string
	kind kind
	o    WriterOptions
}{
	{"dense", kind{labels: true, width: 3}, WriterOptions{GroupRows: 4}},
	{"sparse", kind{sparse: true, labels: true, weights: true, width: 9}, WriterOptions{GroupRows: 4}},
	{"zstd", kind{sparse: true, labels: true, width: 9}, WriterOptions{GroupRows: 7, Compress: true}},
}

// TestGolden holds the form: shards outlive the program that wrote them. What is compressed may change with the library,
// and is read here alone.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range small {
		data, s, want := shardOf(t, c.kind, 10, c.o)
		path := filepath.Join("testdata", "shard-"+c.name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(hex.Dump(data)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(golden), "\r\n", "\n")
		if !c.o.Compress && text != hex.Dump(data) {
			t.Errorf("%s has changed:\n%s\nwant:\n%s", c.name, hex.Dump(data), text)
		}
		stored := undump(t, text)
		s.manifest.Shards[0].Size = int64(len(stored))
		s.manifest.Shards[0].Sum = binary.LittleEndian.Uint32(stored[sizeOfHeader(s.groups)-4:])
		put(t, s, stored)
		if got := flat(read(t, s, BatchOptions{})); !slices.Equal(got, want) {
			t.Errorf("%s: %v\nwant %v", c.name, got, want)
		}
	}
}

// undump is the way back from hex.Dump.
func undump(t *testing.T, text string) []byte {
	t.Helper()
	var data []byte
	for line := range strings.Lines(text) {
		if len(line) < 58 {
			continue // the length
		}
		b, err := hex.DecodeString(strings.ReplaceAll(line[8:58], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, b...)
	}
	return data
}

// put replaces the shard of a set, of which nothing was read yet.
func put(t testing.TB, s *Set, data []byte) {
	t.Helper()
	if err := s.bucket.Put(t.Context(), s.manifest.Shards[0].Key, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

// fails reads the one shard of a set, which is to be an error that names it.
func fails(t *testing.T, s *Set, data []byte, what string) {
	t.Helper()
	put(t, s, data)
	var got error
	for _, err := range newSet(s.manifest, s.bucket).Batches(t.Context(), BatchOptions{Ahead: 1}) {
		got = err
	}
	if !errors.Is(got, storage.ErrDamaged) || !strings.Contains(got.Error(), s.manifest.Shards[0].Key) {
		t.Fatalf("%s: %v", what, got)
	}
}

// TestDamage changes each byte, and ends the shard at each.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, c := range small {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data, s, _ := shardOf(t, c.kind, 10, c.o)
			for i := range data {
				changed := slices.Clone(data)
				changed[i] ^= 1 << (i % 8)
				fails(t, s, changed, fmt.Sprintf("byte %d of %d", i, len(data)))
				fails(t, s, data[:i], fmt.Sprintf("the first %d bytes of %d", i, len(data)))
			}
		})
	}
}

// TestReplaced finds a shard in the place of another, which is whole by itself.
func TestReplaced(t *testing.T) {
	t.Parallel()
	k := kind{labels: true, width: 3}
	_, s, _ := shardOf(t, k, 10, WriterOptions{})
	other, _, _ := shardOf(t, k, 10, WriterOptions{})
	other[len(other)-1]++ // of the padding, of which the sum is, too
	sums(other)
	fails(t, s, other, "other bytes")

	other, from, _ := shardOf(t, kind{weights: true, width: 3}, 10, WriterOptions{})
	s.manifest.Shards[0].Sum = from.manifest.Shards[0].Sum // so that the header's other fields alone tell
	put(t, s, other)
	for _, err := range newSet(s.manifest, s.bucket).Batches(t.Context(), BatchOptions{}) {
		if errors.Is(err, storage.ErrDamaged) || !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "written in another form") || !strings.Contains(err.Error(), s.manifest.Shards[0].Key) {
			t.Errorf("another form: %v", err)
		}
	}
}

// sums makes the checksums of a shard right, so that what is behind them is reached.
func sums(data []byte) {
	if len(data) < headerSize {
		return
	}
	le := binary.LittleEndian
	n := int(le.Uint32(data[48:]))
	if n > maxGroups || len(data) < sizeOfHeader(n) {
		return
	}
	at := sizeOfHeader(n)
	for i := range n {
		e := data[headerSize+entrySize*i:]
		size := int(le.Uint32(e))
		if size > len(data)-at {
			break
		}
		le.PutUint32(e[4:], crc32.Checksum(data[at:at+size], castagnoli))
		at += size
	}
	end := sizeOfHeader(n) - 4
	le.PutUint32(data[end:], crc32.Checksum(data[:end], castagnoli))
}

// decodeAll reads a shard's bytes with their sums made right, group by group: errors, or batches.
func decodeAll(t *testing.T, data []byte) (rows int, err error) {
	le := binary.LittleEndian
	if len(data) < headerSize {
		_, err := decodeHeader(data, int64(len(data)))
		return 0, err
	}
	n := int(min(le.Uint32(data[48:]), maxGroups))
	h, err := decodeHeader(data[:min(len(data), sizeOfHeader(n))], int64(len(data)))
	if err != nil {
		return 0, err
	}
	at := sizeOfHeader(n)
	var g Group
	for i, e := range h.groups {
		if h.layout(h.rowsOf(i), int64(e.nonZeros)).size > 1<<20 {
			return rows, nil // it could be, by compression; the memory is not worth it
		}
		copy(g.room(h, i), data[at:])
		at += int(e.bytes)
		if err := g.decode(h, i); err != nil {
			return rows, err
		}
		if err := g.check(); err != nil {
			t.Fatalf("group %d was taken, and %v", i, err)
		}
		rows += len(rowsOf(&g.Batch))
	}
	if int64(rows) != h.total {
		t.Fatalf("%d rows of %d", rows, h.total)
	}
	return rows, nil
}

// TestClaims makes words of a shard anything, under sums that are right.
func TestClaims(t *testing.T) {
	t.Parallel()
	for _, c := range small {
		data, _, _ := shardOf(t, c.kind, 10, c.o)
		if n, err := decodeAll(t, slices.Clone(data)); n != 10 || err != nil {
			t.Fatal(n, err)
		}
		refused := 0
		for at := 8; at+4 <= len(data); at += 4 {
			for _, v := range []uint32{0, 1, 3, 8, 1 << 16, 1<<16 + 1, 1 << 30, math.MaxInt32, math.MaxUint32} {
				changed := slices.Clone(data)
				binary.LittleEndian.PutUint32(changed[at:], v)
				sums(changed)
				if _, err := decodeAll(t, changed); err != nil {
					refused++
				}
			}
		}
		if refused < 100 {
			t.Errorf("%s: %d refused", c.name, refused)
		}
	}
}

// TestTruncated makes each shorter shard's sums right.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, c := range small {
		data, _, _ := shardOf(t, c.kind, 10, c.o)
		for n := range data {
			short := slices.Clone(data[:n])
			sums(short)
			if _, err := decodeAll(t, short); !errors.Is(err, errForm) {
				t.Fatalf("%d bytes of %d: %v", n, len(data), err)
			}
		}
	}
}

// FuzzShard reads anything as a shard: it is an error, or batches as they must be.
func FuzzShard(f *testing.F) {
	for _, c := range small {
		data, _, _ := shardOf(f, c.kind, 10, c.o)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = decodeAll(t, data)
		data = slices.Clone(data)
		sums(data)
		_, _ = decodeAll(t, data)
	})
}

// FuzzGroup reads anything as a row group of any form.
func FuzzGroup(f *testing.F) {
	for _, c := range small {
		data, s, _ := shardOf(f, c.kind, 7, c.o)
		h, _, err := s.head(f.Context(), 0, 0)
		if err != nil {
			f.Fatal(err)
		}
		begin := len(data) - int(h.groups[0].bytes)
		if s.groups > 1 {
			begin = sizeOfHeader(s.groups)
		}
		f.Add(c.kind.sparse, c.kind.labels, c.kind.weights, c.o.Compress, uint16(c.kind.width), uint8(h.rowsOf(0)), uint16(h.groups[0].nonZeros), data[begin:])
	}
	f.Fuzz(func(t *testing.T, sparse, labels, weights, zstd bool, width uint16, rows uint8, nonZeros uint16, body []byte) {
		if !sparse {
			nonZeros = 0
		}
		h := header{form: form{sparse, labels, weights, zstd, int(width), int(rows) + 1}, total: int64(rows) + 1}
		size := h.layout(int(rows)+1, int64(nonZeros)).size
		if size > 1<<20 {
			return
		}
		if zstd {
			size = int64(len(body))
		}
		h.groups = []entry{{bytes: uint32(size), nonZeros: uint32(nonZeros)}}
		var g Group
		room := g.room(&h, 0)
		clear(room[copy(room, body):])
		h.groups[0].sum = crc32.Checksum(room, castagnoli)
		if err := g.decode(&h, 0); err == nil {
			if err := g.check(); err != nil || g.Rows != int(rows)+1 || g.Sparse() != sparse || len(rowsOf(&g.Batch)) != g.Rows {
				t.Fatalf("%+v was taken, and %v", g.Batch, err)
			}
		}
	})
}

// TestWords compares the arrays in place with what encoding/binary reads, in both orders of bytes.
func TestWords(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 40 {
		b := buffer(nil, 4*n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		turned := buffer(nil, 4*n)
		copy(turned, b)
		turn(turned)
		for i, w := range wordsOf[uint32](b, 0, n) {
			if binary.NativeEndian.Uint32(b[4*i:]) != w {
				t.Fatalf("word %d of % x is %x", i, b, w)
			}
			if binary.BigEndian.Uint32(turned[4*i:]) != binary.LittleEndian.Uint32(b[4*i:]) {
				t.Fatalf("% x turned is % x", b, turned)
			}
			if x := wordsOf[float32](b, 4*i, 1)[0]; math.Float32bits(x) != w {
				t.Fatalf("float %d of % x is %v", i, b, x)
			}
		}
		if !bytes.Equal(bytesOf(wordsOf[float32](b, 0, n)), b) {
			t.Fatal("bytes do not come back")
		}
	}
}

// TestPortable reads a group with encoding/binary alone, as where arrays cannot be used in place.
func TestPortable(t *testing.T) {
	t.Parallel()
	k := kind{sparse: true, labels: true, weights: true, width: 9}
	data, s, _ := shardOf(t, k, 10, WriterOptions{})
	var g Group
	if err := s.Read(t.Context(), 0, &g); err != nil {
		t.Fatal(err)
	}
	data = data[sizeOfHeader(1):]
	next := func(into any) {
		n, err := binary.Decode(data, binary.LittleEndian, into)
		if err != nil {
			t.Fatal(err)
		}
		data = data[aligned(n):]
	}
	labels, weights := make([]float32, 10), make([]float32, 10)
	ptr, idx, values := make([]uint32, 11), make([]uint32, len(g.Idx)), make([]float32, len(g.Idx))
	for _, into := range []any{labels, weights, ptr, idx, values} {
		next(into)
	}
	same := slices.Equal(labels, g.Labels) && slices.Equal(weights, g.Weights) && slices.Equal(idx, g.Idx) && slices.Equal(values, g.Values)
	for i, p := range ptr {
		same = same && g.Ptr[i] == int(p)
	}
	if !same || len(data) != 0 {
		t.Errorf("%+v, and by encoding/binary %v %v %v %v %v, and %d bytes", g.Batch, labels, weights, ptr, idx, values, len(data))
	}
}
