package preprocess

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register("hash", Hash{}, &Hashed{}) }

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
		return fmt.Errorf("preprocess: %s: %d bits: 1 to %d: %w", step, bits, maxBits, fs.ErrInvalid)
	}
	return nil
}

// Plan needs no pass.
func (s Hash) Plan(in dataset.Schema) (Plan, error) {
	columns, err := featuresOf("hash", in, s.Columns, dataset.String, dataset.Number)
	if err != nil {
		return Plan{}, err
	}
	t := &Hashed{Bits: cmp.Or(s.Bits, defaultBits), Vector: cmp.Or(s.Vector, "hashed"), Unsigned: s.Unsigned}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Name)
	}
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
	for _, name := range t.Columns {
		if in.Index(name) < 0 {
			return in, errColumn("hash", name)
		}
	}
	for _, c := range in.Columns {
		if !slices.Contains(t.Columns, c.Name) {
			out.Columns = append(out.Columns, c)
		}
	}
	out.Columns = append(out.Columns, dataset.Column{Name: t.Vector, Kind: dataset.Vector, Width: 1 << t.Bits})
	return out, out.Check()
}

// hashField is a column while it is hashed.
type hashField struct {
	data   *dataset.Data
	number bool
	begin  murmur // strings: "column="
	place  uint32 // numbers: where they count
	sign   float64
}

// Apply hashes the columns.
func (t *Hashed) Apply(in dataset.Schema, b *dataset.Block) error {
	fields, rest := make([]hashField, 0, len(t.Columns)), make([]dataset.Data, 0, len(in.Columns))
	for i, c := range in.Columns {
		if !slices.Contains(t.Columns, c.Name) {
			rest = append(rest, b.Columns[i])
			continue
		}
		f := hashField{data: &b.Columns[i], number: c.Kind == dataset.Number, begin: murmurOf(c.Name + "="), sign: 1}
		if f.number {
			m := murmurOf(c.Name)
			place, negative := signed(m.sum(nil), 1<<t.Bits-1)
			f.place = place
			if negative && !t.Unsigned {
				f.sign = -1
			}
		}
		fields = append(fields, f)
	}
	v := dataset.Vectors{
		Ptr: make([]int, 1, b.Rows+1),
		Idx: make([]uint32, 0, b.Rows*len(fields)),
		Val: make([]float32, 0, b.Rows*len(fields)),
	}
	s := newSum(len(fields), t.Bits)
	for row := range b.Rows {
		for i := range fields {
			f := &fields[i]
			switch {
			case f.number:
				if x := f.data.Numbers[row]; x == x && x != 0 {
					s.add(f.place, f.sign*x)
				}
			case !f.data.Strings.IsMissing(row):
				s.count(f.begin.sum(f.data.Strings.At(row)), t.Unsigned)
			}
		}
		s.store(&v, Unnormed)
	}
	b.Columns = append(rest, dataset.Data{Vectors: v})
	return nil
}
