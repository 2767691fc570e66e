package preprocess

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Hash{}, &Hashed{}) }

// Hash makes one sparse vector of columns of strings and numbers, without a pass over the data, and without a vocabulary. A
// string counts 1 at the place that the hash of "column=value" tells, a number counts itself at that of "column"; what comes
// to one place is added. Signs, of the hash too, keep the sums even. It is scikit-learn's FeatureHasher.
//
// Missing values, and zeros, count nothing; sums that are zero are not stored.
type Hash struct {
	Columns  []string // of strings and numbers; empty: all features that are. The vector takes their place, at the end
	Bits     int      // the vector's width is 2^Bits: 1 to 30. Defaults to 20
	Vector   string   // its name. Defaults to "hashed"
	Unsigned bool     // all signs are plus
}

const (
	defaultBits = 20
	maxBits     = 30
)

func checkBits(step string, bits int) error {
	if bits < 1 || bits > maxBits {
		return fmt.Errorf("%s: %d bits: 1 to %d: %w", step, bits, maxBits, fs.ErrInvalid)
	}
	return nil
}

// Plan needs no pass.
func (s Hash) Plan(in dataset.Schema) (Plan, error) {
	columns, err := chooseSome("hash", in, s.Columns, dataset.String, dataset.Number)
	if err != nil {
		return Plan{}, err
	}
	t := &Hashed{Columns: namesOf(columns), Bits: cmp.Or(s.Bits, defaultBits), Vector: cmp.Or(s.Vector, "hashed"), Unsigned: s.Unsigned}
	out, err := t.Out(in)
	return Plan{Reads: t.Columns, Writes: append(slices.Clone(t.Columns), t.Vector), Out: out, Transform: t}, err
}

// Hashed is what [Hash] becomes.
type Hashed struct {
	Columns  []string
	Bits     int
	Vector   string
	Unsigned bool
}

// Out has the vector at the end, and not the columns.
func (t *Hashed) Out(in dataset.Schema) (dataset.Schema, error) {
	if err := checkBits("hash", t.Bits); err != nil {
		return in, err
	}
	var out dataset.Schema
	if _, err := chooseSome("hash", in, t.Columns, dataset.String, dataset.Number); err != nil {
		return in, err
	}
	for _, c := range in.Columns {
		if !slices.Contains(t.Columns, c.Name) {
			out.Columns = append(out.Columns, c)
		}
	}
	out.Columns = append(out.Columns, dataset.Column{Name: t.Vector, Kind: dataset.Vector, Width: 1 << t.Bits})
	return out, out.Check()
}

// Apply hashes the columns.
func (t *Hashed) Apply(in dataset.Schema, b *dataset.Block) error {
	var numbers []hashedNumbers
	var strings []*dataset.Strings
	var hashes []uint32 // of all rows of a column, column by column
	rest := make([]dataset.Data, 0, len(in.Columns))
	s, sign := newSum(t.Bits), signMask(t.Unsigned)
	for i, c := range in.Columns {
		d := &b.Columns[i]
		switch {
		case !slices.Contains(t.Columns, c.Name):
			rest = append(rest, *d)
		case c.Kind == dataset.Number:
			m := murmurOf(c.Name)
			s.count(m.sum(nil), sign)
			key := s.keys[0]
			numbers = append(numbers, hashedNumbers{d.Numbers, uint32(key >> 32), s.values[uint32(key)]})
			s.keys = s.keys[:0]
		default:
			m := murmurOf(c.Name + "=")
			hashes = slices.Grow(hashes, (len(t.Columns)-len(numbers)-len(strings))*b.Rows)
			begin := uint32(0)
			for _, end := range d.Strings.Ends[:b.Rows] {
				hashes = append(hashes, m.sum(d.Strings.Bytes[begin:end]))
				begin = end
			}
			strings = append(strings, &d.Strings)
		}
	}
	v := dataset.Vectors{
		Ptr: make([]int, 1, b.Rows+1),
		Idx: make([]uint32, 0, b.Rows*len(t.Columns)),
		Val: make([]float32, 0, b.Rows*len(t.Columns)),
	}
	for row := range b.Rows {
		for i := range numbers {
			n := &numbers[i]
			if x := n.values[row]; x == x && x != 0 {
				s.add(n.place, n.sign*x)
			}
		}
		for i, c := range strings {
			if !c.IsMissing(row) {
				s.count(hashes[i*b.Rows+row], sign)
			}
		}
		s.store(&v, Unnormed)
	}
	b.Columns = append(rest, dataset.Data{Vectors: v})
	return nil
}

// hashedNumbers is a column of numbers, and where they count.
type hashedNumbers struct {
	values []float64
	place  uint32
	sign   float64
}
