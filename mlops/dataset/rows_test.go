package dataset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gowren/gowren/storage"
)

// kind is a form of rows that tests make.
type kind struct {
	sparse, labels, weights bool
	width                   int
}

func (k kind) String() string {
	return fmt.Sprintf("sparse=%t labels=%t weights=%t width=%d", k.sparse, k.labels, k.weights, k.width)
}

func (k kind) schema() Schema {
	s := Schema{Columns: []Column{{Name: "x", Kind: Vector, Width: k.width}}}
	if k.width == 0 {
		s.Columns = []Column{{Name: "x", Kind: String, Role: Ignored}}
	}
	if k.labels {
		s.Columns = append(s.Columns, Column{Name: "y", Kind: Number, Role: Label})
	}
	if k.weights {
		s.Columns = append(s.Columns, Column{Name: "w", Kind: Number, Role: Weight})
	}
	return s
}

// kinds are all of them.
func kinds() []kind {
	var all []kind
	for i := range 8 {
		for _, width := range []int{1, 7, 300} {
			all = append(all, kind{i&1 != 0, i&2 != 0, i&4 != 0, width})
		}
	}
	return append(all, kind{labels: true})
}

// make returns rows that are all different: the first feature of row i is i+1, and so are the label and the weight.
func (k kind) make(r *rand.Rand, from, n int) *Batch {
	b := &Batch{Rows: n, Width: k.width}
	if k.sparse {
		b.Ptr = []int{0}
	}
	for i := range n {
		id := float32(from + i + 1)
		if k.labels {
			b.Labels = append(b.Labels, id)
		}
		if k.weights {
			b.Weights = append(b.Weights, -id)
		}
		for c := range k.width {
			v := r.Float32()
			if c == 0 {
				v = id
			}
			switch {
			case !k.sparse:
				b.Values = append(b.Values, v)
			case c == 0 || r.IntN(8) == 0:
				b.Idx, b.Values = append(b.Idx, uint32(c)), append(b.Values, v)
			}
		}
		if k.sparse {
			b.Ptr = append(b.Ptr, len(b.Values))
		}
	}
	return b
}

// row is a row by itself.
type row struct {
	values        string // as bytes
	label, weight float32
}

// rowsOf returns the rows of a batch.
func rowsOf(b *Batch) []row {
	var rows []row
	for i := range b.Rows {
		r := row{weight: b.Weight(i)}
		if b.Sparse() {
			places, values := b.Row(i)
			r.values = string(bytesOf(places)) + "|" + string(bytesOf(values))
		} else {
			r.values = string(bytesOf(b.Dense(i)))
		}
		if b.Labels != nil {
			r.label = b.Labels[i]
		}
		rows = append(rows, r)
	}
	return rows
}

// write stores n rows in batches of any size, and opens the set.
func write(t testing.TB, b storage.Bucket, k kind, n int, o WriterOptions) (*Set, []row) {
	t.Helper()
	o.Schema = k.schema()
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var want []row
	var shards []Shard
	for task := 0; len(want) < n || task == 0; task++ {
		w, err := NewWriter(t.Context(), b, "job", o)
		if err != nil {
			t.Fatal(err)
		}
		for end := min(n, len(want)+1+r.IntN(n+1)); len(want) < end; {
			batch := k.make(r, len(want), min(end-len(want), r.IntN(50)))
			if err := w.Write(batch); err != nil {
				t.Fatal(err)
			}
			want = append(want, rowsOf(batch)...)
		}
		some, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		shards = append(shards, some...)
	}
	if _, err := Commit(t.Context(), b.URL(), "job", o.Schema, shards); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), b.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, want
}

// read returns the batches of the options, as rows.
func read(t testing.TB, s *Set, o BatchOptions) [][]row {
	t.Helper()
	var all [][]row
	for b, err := range s.Batches(t.Context(), o) {
		if err != nil {
			t.Fatal(err)
		}
		if err := b.check(); err != nil {
			t.Fatal(err)
		}
		all = append(all, rowsOf(b))
	}
	return all
}

func flat(batches [][]row) []row { return slices.Concat(batches...) }
