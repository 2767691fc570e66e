package dataset

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestBlockCheck(t *testing.T) {
	t.Parallel()
	s := Schema{Columns: []Column{{Name: "n", Kind: Number}, {Name: "s", Kind: String}, {Name: "d", Kind: Vector, Width: 2}, {Name: "p", Kind: Vector, Width: 9}}}
	whole := func() *Block {
		return &Block{Rows: 2, IDs: []uint64{1, 2}, Columns: []Data{
			{Numbers: []float64{1, 2}},
			{Strings: Strings{Bytes: []byte("abc"), Ends: []uint32{1, 3}, Missing: []bool{false, false}}},
			{Vectors: Vectors{Val: []float32{1, 2, 3, 4}}},
			{Vectors: Vectors{Ptr: []int{0, 0, 1}, Idx: []uint32{8}, Val: []float32{1}}},
		}}
	}
	if err := whole().Check(s); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Block){
		"3 columns": func(b *Block) { b.Columns = b.Columns[:3] },
		`"n"`:       func(b *Block) { b.Columns[0] = b.Columns[1] },
		`"s"`:       func(b *Block) { b.Columns[1].Strings.Missing = []bool{true} },
		`"s", a`:    func(b *Block) { b.Columns[1].Strings.Bytes = nil },
		`"d"`:       func(b *Block) { b.Columns[2].Vectors.Val = []float32{1, 2, 3} },
		`"p"`:       func(b *Block) { b.Columns[3].Vectors.Ptr = []int{0, 1} },
		`"p", a`:    func(b *Block) { b.Columns[3].Vectors.Idx = nil },
		"3 rows":    func(b *Block) { b.Rows = 3 },
	} {
		b := whole()
		spoil(b)
		if err := b.Check(s); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
