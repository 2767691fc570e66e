package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// blockOf has a column of each kind and role.
func blockOf() (Schema, *Block) {
	s := Schema{Columns: []Column{
		{Name: "a", Kind: Number},
		{Name: "weight", Kind: Number, Role: Weight},
		{Name: "v", Kind: Vector, Width: 3},
		{Name: "name", Kind: String, Role: Ignored},
		{Name: "label", Kind: Number, Role: Label},
		{Name: "b", Kind: Number},
	}}
	b := &Block{Rows: 2, IDs: []uint64{0xa, 0xb}, Columns: make([]Data, len(s.Columns))}
	b.Columns[0].Numbers = []float64{1.5, 0}
	b.Columns[1].Numbers = []float64{1, 0.5}
	b.Columns[2].Vectors.Val = []float32{1, 0, 3, 4, 5, 6}
	b.Columns[4].Numbers = []float64{1, -1}
	b.Columns[5].Numbers = []float64{0, 7}
	return s, b
}

func TestAssemble(t *testing.T) {
	t.Parallel()
	s, b := blockOf()
	a, err := NewAssembler(s)
	if err != nil {
		t.Fatal(err)
	}
	wide := &Assembler{schema: s}
	sparseBlock := b.Clone()
	sparseBlock.Columns[2].Vectors = Vectors{Ptr: []int{0, 2, 3}, Idx: []uint32{0, 2, 1}, Val: []float32{1, 3, 5}}
	for round := range 3 { // its memory is used again
		got, err := a.Assemble(b)
		if err != nil || got.check() != nil || got.Sparse() || got.Width != 5 || !slices.Equal(got.Values, []float32{1.5, 1, 0, 3, 0, 0, 4, 5, 6, 7}) ||
			!slices.Equal(got.Labels, []float32{1, -1}) || !slices.Equal(got.Weights, []float32{1, 0.5}) {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
		got, err = a.Assemble(sparseBlock) // it is narrow
		if err != nil || got.check() != nil || got.Sparse() || !slices.Equal(got.Values, []float32{1.5, 1, 0, 3, 0, 0, 0, 5, 0, 7}) {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
		got, err = wide.Assemble(sparseBlock)
		if err != nil || got.check() != nil || !slices.Equal(got.Ptr, []int{0, 3, 5}) || !slices.Equal(got.Idx, []uint32{0, 1, 3, 2, 4}) ||
			!slices.Equal(got.Values, []float32{1.5, 1, 3, 5, 7}) || !slices.Equal(got.Labels, []float32{1, -1}) {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
	}
	if got, err := a.Assemble(&Block{Columns: make([]Data, len(s.Columns))}); err != nil || got.Rows != 0 || len(got.Values) != 0 {
		t.Errorf("no rows: %+v, %v", got, err)
	}
}

// TestAssembleMissing names the column and the row, or keeps what is missing where that is asked.
func TestAssembleMissing(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		what   string
		change func(b *Block)
		column string
		never  bool // not with Missing either
	}{
		{"a feature", func(b *Block) { b.Columns[5].Numbers[1] = nan }, `"b"`, false},
		{"a label", func(b *Block) { b.Columns[4].Numbers[1] = nan }, `"label"`, false},
		{"a weight", func(b *Block) { b.Columns[1].Numbers[1] = nan }, `"weight"`, true},
		{"of a vector", func(b *Block) { b.Columns[2].Vectors.Val[5] = float32(nan) }, `"v"`, false},
		{"of a sparse vector", func(b *Block) {
			b.Columns[2].Vectors = Vectors{Ptr: []int{0, 0, 1}, Idx: []uint32{2}, Val: []float32{float32(nan)}}
		}, `"v"`, false},
		{"too large", func(b *Block) { b.Columns[0].Numbers[1] = 1e300 }, `"a"`, true},
		{"too large, in a sparse batch", func(b *Block) {
			b.Columns[0].Numbers[1] = -1e300
			b.Columns[2].Vectors = Vectors{Ptr: []int{0, 0, 0}}
		}, `"a"`, true},
	} {
		s, b := blockOf()
		c.change(b)
		a, err := NewAssembler(s)
		if err != nil {
			t.Fatal(err)
		}
		none, err := a.Assemble(b)
		if none != nil || !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), c.column) || !strings.Contains(err.Error(), "000b") {
			t.Errorf("%s: %v", c.what, err)
		}
		a.Missing = true
		if got, err := a.Assemble(b); (err != nil) != c.never || err == nil && got.check() != nil {
			t.Errorf("%s, kept: %v", c.what, err)
		}
	}
	s, b := blockOf()
	b.Columns[0].Numbers[0] = math.Inf(-1) // it was one before
	a, err := NewAssembler(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Assemble(b); err != nil || !math.IsInf(float64(got.Values[0]), -1) {
		t.Error(got, err)
	}
}

// TestAssembleRefuses takes no strings, and no block of another schema.
func TestAssembleRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema Schema
		want   string
	}{
		{Schema{Columns: []Column{{Name: "town", Kind: String}}}, `"town" has strings: encode it first`},
		{Schema{Columns: []Column{{Name: "town", Kind: String, Role: Label}, {Name: "x", Kind: Number}}}, `"town" has strings: encode it first`},
		{Schema{Columns: []Column{{Name: "v", Kind: Vector, Width: -1}}}, `"v"`},
		{Schema{Columns: []Column{{Name: "v", Kind: Vector, Width: 1 << 30}, {Name: "w", Kind: Vector, Width: 1 << 30}}}, "more than"},
		{Schema{}, "without columns"},
	} {
		if _, err := NewAssembler(c.schema); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.schema, err)
		}
	}
	for i, change := range []func(b *Block){
		func(b *Block) { b.Columns = b.Columns[1:] },
		func(b *Block) { b.Columns[0].Numbers = b.Columns[0].Numbers[1:] },
		func(b *Block) { b.Columns[2].Vectors.Val = b.Columns[2].Vectors.Val[1:] },
		func(b *Block) { b.Columns[2].Vectors.Ptr = []int{0, 7, 6} },
		func(b *Block) {
			b.Columns[2].Vectors = Vectors{Ptr: []int{0, 1, 1}, Idx: []uint32{3}, Val: []float32{1}}
		},
	} {
		s, b := blockOf()
		change(b)
		a, err := NewAssembler(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Assemble(b); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("change %d: %v", i, err)
		}
	}
}

// BenchmarkAssemble makes batches of blocks of 1,024 rows: of numbers, and of a sparse vector beside some.
func BenchmarkAssemble(b *testing.B) {
	for _, sparse := range []bool{false, true} {
		s := Schema{Columns: []Column{{Name: "y", Kind: Number, Role: Label}}}
		r := rand.New(rand.NewPCG(1, 1))
		block := &Block{Rows: BlockRows}
		columns := 29
		if sparse {
			columns = 14
		}
		for i := range columns {
			if i > 0 {
				s.Columns = append(s.Columns, Column{Name: fmt.Sprint(i), Kind: Number})
			}
			d := Data{}
			for range BlockRows {
				d.Numbers = append(d.Numbers, r.NormFloat64())
			}
			block.Columns = append(block.Columns, d)
		}
		if sparse {
			v := benchBatch(r, kind{sparse: true, width: 1 << 18}, BlockRows, 26)
			s.Columns = append(s.Columns, Column{Name: "v", Kind: Vector, Width: 1 << 18})
			block.Columns = append(block.Columns, Data{Vectors: Vectors{v.Ptr, v.Idx, v.Values}})
		}
		b.Run(fmt.Sprintf("sparse=%t", sparse), func(b *testing.B) {
			a, err := NewAssembler(s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				got, err := a.Assemble(block)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(4 * (len(got.Values) + len(got.Idx) + len(got.Labels))))
			}
		})
	}
}
