package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/gowren/gowren/mlops/dataset"
)

const (
	criteoCounts     = 13
	criteoCategories = 26
)

// criteoValues are how many values the categories have: from 3 to a million, as those of the real ones.
var criteoValues = [criteoCategories]uint64{
	1460, 583, 1_000_000, 500_000, 305, 24, 12_517, 633, 3, 93_145, 5683, 800_000, 3194, 27, 14_992, 600_000, 10, 5652, 2173, 4,
	700_000, 18, 15, 286_181, 105, 142_572,
}

// Criteo makes rows as Criteo's logs of displayed advertisements have them: whether it was clicked, 13 counts, of which up
// to a third is missing, and 26 categories of up to a million values each, few of them frequent. The label depends on the
// logarithms of the counts, and on each value of a category for itself. Text is as Criteo's: fields, empty where they are
// missing, with Comma between them.
type Criteo struct {
	Comma byte // a tab

	random     *random
	zipf       [criteoCategories]*rand.Zipf
	counts     [criteoCounts]int64 // -1: missing
	categories [criteoCategories]uint32
}

// NewCriteo returns the table of a seed.
func NewCriteo(seed uint64) *Criteo {
	c := &Criteo{Comma: '\t', random: newRandom(seed)}
	for i, n := range criteoValues {
		c.zipf[i] = rand.NewZipf(c.random.Rand, 1.15, 3, n-1)
	}
	return c
}

// Schema has the label, the counts I1 to I13, and the categories C1 to C26.
func (*Criteo) Schema() dataset.Schema {
	s := dataset.Schema{Columns: []dataset.Column{{Name: "label", Kind: dataset.Number, Role: dataset.Label}}}
	for i := range criteoCounts {
		s.Columns = append(s.Columns, dataset.Column{Name: fmt.Sprintf("I%d", i+1), Kind: dataset.Number})
	}
	for i := range criteoCategories {
		s.Columns = append(s.Columns, dataset.Column{Name: fmt.Sprintf("C%d", i+1), Kind: dataset.String})
	}
	return s
}

// make makes a row, and returns its odds.
func (c *Criteo) make(row int64) float64 {
	r := c.random
	r.row(row)
	z := -1.45
	for i := range c.counts {
		c.counts[i] = -1
		if r.Float64() < 0.03*float64(i) {
			continue
		}
		mean := 1 + float64(i%5)
		c.counts[i] = int64(math.Exp(mean + (0.6+0.1*float64(i%4))*r.NormFloat64()))
		z += 0.16 * weight(r.seed, 0, uint64(i)) * (math.Log1p(float64(c.counts[i])) - mean)
	}
	for i := range c.categories {
		value := c.zipf[i].Uint64()
		c.categories[i] = uint32(scatter(scatter(r.seed+uint64(i))+value) >> 32)
		z += 0.41 * weight(r.seed, 1+uint64(i), value)
	}
	return sigmoid(z)
}

// hex adds a category's value: 8 digits.
func hex(dst []byte, x uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[x>>shift&15])
	}
	return dst
}

// Add adds a row to a block.
func (c *Criteo) Add(b *dataset.Block, row int64) {
	label := c.random.label(c.make(row))
	columns := b.Columns
	columns[0].Numbers = append(columns[0].Numbers, label)
	for i, n := range c.counts {
		x := float64(n)
		if n < 0 {
			x = math.NaN()
		}
		columns[1+i].Numbers = append(columns[1+i].Numbers, x)
	}
	for i, v := range c.categories {
		s := &columns[1+criteoCounts+i].Strings
		s.Bytes = hex(s.Bytes, v)
		s.Ends = append(s.Ends, uint32(len(s.Bytes)))
	}
}

// Append adds a row as text.
func (c *Criteo) Append(dst []byte, row int64) []byte {
	dst = append(dst, '0'+byte(c.random.label(c.make(row))))
	for _, n := range c.counts {
		if dst = append(dst, c.Comma); n >= 0 {
			dst = strconv.AppendInt(dst, n, 10)
		}
	}
	for _, v := range c.categories {
		dst = hex(append(dst, c.Comma), v)
	}
	return append(dst, '\n')
}

// Odds is how likely the label is 1.
func (c *Criteo) Odds(row int64) float64 { return c.make(row) }
