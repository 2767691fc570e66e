package preprocess

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Interact{}, Interacted{}) }

// Interact adds the products of number columns: of each two, and of more up to Degree, as columns named "a*b". A product of
// what is missing is missing.
type Interact struct {
	Columns []string // of numbers; empty: all features that are
	Degree  int      // at most 8. Defaults to 2
	Powers  bool     // a column may be in a product several times: "a*a", too
}

// maxProducts bounds the columns that Interact adds.
const maxProducts = 1 << 14

// Plan needs no pass.
func (s Interact) Plan(in dataset.Schema) (Plan, error) {
	columns, err := choose("interact", in, s.Columns, dataset.Number)
	if err != nil {
		return Plan{}, err
	}
	if s.Degree == 0 {
		s.Degree = 2
	}
	if s.Degree < 2 || s.Degree > 8 {
		return Plan{}, fmt.Errorf("interact: a degree of %d, and not 2 to 8: %w", s.Degree, fs.ErrInvalid)
	}
	names := namesOf(columns)
	var t Interacted
	for n := 2; n <= s.Degree; n++ {
		t.Products = s.products(t.Products, names, nil, 0, n)
		if len(t.Products) > maxProducts {
			return Plan{}, fmt.Errorf("interact: more than %d products of %d columns: %w", maxProducts, len(names), fs.ErrInvalid)
		}
	}
	p := Plan{Reads: names, Transform: t}
	for _, product := range t.Products {
		p.Writes = append(p.Writes, strings.Join(product, "*"))
	}
	p.Out, err = t.Out(in)
	return p, err
}

// products appends those of n more columns than are in product, from one column on.
func (s Interact) products(dst [][]string, names, product []string, from, n int) [][]string {
	if n == 0 {
		return append(dst, slices.Clone(product))
	}
	for i := from; i < len(names) && len(dst) <= maxProducts; i++ {
		next := i + 1
		if s.Powers {
			next = i
		}
		dst = s.products(dst, names, append(product, names[i]), next, n-1)
	}
	return dst
}

// Interacted is what [Interact] becomes.
type Interacted struct {
	Products [][]string // the columns of each
}

// Out adds the products.
func (t Interacted) Out(in dataset.Schema) (dataset.Schema, error) {
	more := make([]dataset.Column, len(t.Products))
	for i, product := range t.Products {
		for _, name := range product {
			at := in.Index(name)
			if at < 0 {
				return in, errColumn("interact", in, name)
			}
			if in.Columns[at].Kind != dataset.Number {
				return in, errKind("interact", in.Columns[at], dataset.Number)
			}
		}
		more[i] = dataset.Column{Name: strings.Join(product, "*"), Kind: dataset.Number}
	}
	out := with(in, more...)
	return out, out.Check()
}

// Apply adds the products of a block.
func (t Interacted) Apply(in dataset.Schema, b *dataset.Block) error {
	next := 0
	for _, product := range t.Products {
		values := make([]float64, b.Rows)
		for k, name := range product {
			if next = in.Next(name, next); next < 0 {
				return errColumn("interact", in, name)
			}
			column := b.Columns[next].Numbers
			if k == 0 {
				copy(values, column)
				continue
			}
			for i, x := range column {
				values[i] *= x
			}
		}
		b.Columns = append(b.Columns, dataset.Data{Numbers: values})
	}
	return nil
}
