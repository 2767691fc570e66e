package dataset

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// TestWriterRefuses takes no batch of another form, and none that cannot be.
func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	k := kind{sparse: true, labels: true, width: 5}
	good := func() *Batch { return k.make(r, 0, 4) }
	changed := func(change func(b *Batch)) *Batch {
		b := good()
		change(b)
		return b
	}
	for i, b := range []*Batch{
		kind{labels: true, width: 5}.make(r, 0, 4),
		kind{sparse: true, labels: true, width: 6}.make(r, 0, 4),
		kind{sparse: true, width: 5}.make(r, 0, 4),
		kind{sparse: true, labels: true, weights: true, width: 5}.make(r, 0, 4),
		changed(func(b *Batch) { b.Rows = 3 }),
		changed(func(b *Batch) { b.Labels = b.Labels[:3] }),
		changed(func(b *Batch) { b.Idx[0] = 5 }),
		changed(func(b *Batch) { b.Idx = b.Idx[1:] }),
		changed(func(b *Batch) { b.Ptr[1] = b.Ptr[4] + 1 }),
		changed(func(b *Batch) { b.Ptr[0] = 1 }),
		changed(func(b *Batch) { b.Rows = -1 }),
		{Rows: 1, Width: 5, Ptr: []int{0, 2}, Idx: []uint32{2, 2}, Values: []float32{1, 1}, Labels: []float32{0}},
		{Rows: 2, Width: 5, Values: make([]float32, 9), Labels: make([]float32, 2)},
	} {
		w, err := NewWriter(t.Context(), memstore.New(), "job", WriterOptions{Schema: k.schema()})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(good()); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("batch %d: %v", i, err)
		}
		if _, err := w.Close(); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("batch %d: the end does not tell: %v", i, err)
		}
	}
	for i, o := range []WriterOptions{
		{}, {Schema: k.schema(), ShardBytes: -1}, {Schema: k.schema(), ShardBytes: 1 << 30}, {Schema: k.schema(), GroupRows: 1 << 17},
		{Schema: k.schema(), GroupBytes: -1}, {Schema: Schema{Columns: []Column{{Name: "s", Kind: String}}}},
		{Schema: Schema{Columns: []Column{{Name: "v", Kind: Vector, Width: -1}}}},
	} {
		if _, err := NewWriter(t.Context(), memstore.New(), "job", o); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("options %d: %v", i, err)
		}
	}
	if _, err := NewWriter(t.Context(), memstore.New(), "", WriterOptions{Schema: k.schema()}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("no prefix: %v", err)
	}
}

// TestWriterFault tells of a shard that could not be stored, now and at the end.
func TestWriterFault(t *testing.T) {
	t.Parallel()
	k := kind{width: 5}
	b := storagetest.Faults(memstore.New(), storagetest.Rule{Op: "put", Nth: 2, Before: fs.ErrPermission})
	w, err := NewWriter(t.Context(), b, "job", WriterOptions{Schema: k.schema(), ShardBytes: 200})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(k.make(rand.New(rand.NewPCG(1, 1)), 0, 100)); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if _, err := w.Close(); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// TestSizes holds shards and groups to their bounds, but for single rows that are larger.
func TestSizes(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{{width: 100}, {width: 1000, sparse: true, labels: true}} {
		s, _ := write(t, memstore.New(), k, 500, WriterOptions{ShardBytes: 20_000, GroupBytes: 4_000})
		for _, shard := range s.manifest.Shards {
			if shard.Size > 24_000 {
				t.Errorf("%s: a shard of %d bytes", k, shard.Size)
			}
		}
		if n := len(s.manifest.Shards); n < 10 || s.groups < 4*n {
			t.Errorf("%s: %d groups in %d shards", k, s.groups, n)
		}
		one, _ := write(t, memstore.New(), k, 20, WriterOptions{ShardBytes: 1, GroupBytes: 1})
		if one.groups != 20 || len(one.manifest.Shards) != 20 {
			t.Errorf("%s: %d groups of 20 large rows", k, one.groups)
		}
	}
}

// TestWriterAgain: shards have no bytes of those that a writer before stored.
func TestWriterAgain(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{{width: 3, sparse: true, weights: true}, {width: 7}, {width: 5, labels: true}} {
		var want []byte
		for i := range 10 { // the room goes to another test's writer, or gets lost, now and then
			m := memstore.New()
			before := room{out: buffer(nil, 1<<16), scratch: buffer(nil, 1<<16), rows: pending{ends: make([]uint32, 0, 100)}}
			for at := range before.out {
				before.out[at], before.scratch[at] = byte(i), byte(i)
			}
			rooms.Put(&before)
			w, err := NewWriter(t.Context(), m, "job", WriterOptions{Schema: k.schema(), GroupRows: 5})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(k.make(rand.New(rand.NewPCG(1, 1)), 0, 18)); err != nil {
				t.Fatal(err)
			}
			shards, err := w.Close()
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Get(t.Context(), shards[0].Key, 0, shards[0].Size)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: the bytes differ", k)
			}
		}
	}
}
