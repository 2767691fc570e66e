package synth

import (
	"fmt"
	"math"
	"strconv"

	"github.com/gowren/gowren/mlops/dataset"
)

const (
	higgsMeasured = 21
	higgsColumns  = 28
)

// Higgs makes dense rows of 28 numbers, as the collisions of the HIGGS dataset have them: 21 measured ones, and 7 that
// are functions of those, with noise. The label depends on sums, products and angles of them, so that a linear model finds
// a small part of it alone. Text is CSV: the label and the numbers, of float32.
type Higgs struct {
	random *random
	x      [higgsColumns]float32
}

// NewHiggs returns the table of a seed.
func NewHiggs(seed uint64) *Higgs { return &Higgs{random: newRandom(seed)} }

// Schema has the label, and the numbers m1 to m21 and d1 to d7.
func (*Higgs) Schema() dataset.Schema {
	s := dataset.Schema{Columns: []dataset.Column{{Name: "label", Kind: dataset.Number, Role: dataset.Label}}}
	for i := range higgsColumns {
		name := fmt.Sprintf("m%d", i+1)
		if i >= higgsMeasured {
			name = fmt.Sprintf("d%d", i-higgsMeasured+1)
		}
		s.Columns = append(s.Columns, dataset.Column{Name: name, Kind: dataset.Number})
	}
	return s
}

// make makes a row's numbers, and returns its odds.
func (h *Higgs) make(row int64) float64 {
	r := h.random
	r.row(row)
	var v [higgsColumns]float64
	for i := range higgsMeasured {
		switch i % 4 {
		case 0: // momenta along an axis
			v[i] = r.NormFloat64()
		case 1: // energies
			v[i] = math.Exp(0.5*r.NormFloat64() - 0.125)
		case 2: // angles
			v[i] = (2*r.Float64() - 1) * math.Sqrt(3)
		default: // how sure it is that a jet is of one kind
			v[i] = float64(r.IntN(3))
		}
	}
	derived := [...]float64{
		math.Hypot(v[0], v[4]),
		math.Sqrt(2 * v[1] * v[5] * (1 - math.Cos(v[2]-v[6]))),
		v[8] * v[12],
		math.Abs(v[9] - v[13]),
		v[3] * v[7],
		math.Exp(-v[16] * v[16]),
		math.Log1p(v[17] * math.Abs(v[20])),
	}
	for i, x := range derived {
		v[higgsMeasured+i] = x + 0.1*r.NormFloat64()
	}
	d := v[higgsMeasured:]
	z := 0.25*v[0] - 0.2*v[5] + 0.2*v[10] + 0.6*(d[0]-1.25) - 0.5*(d[1]-1.2) + 0.4*d[2] - 0.4*(d[3]-0.55) +
		1.3*v[2]*v[14] - 1.1*v[4]*v[16] + 1.2*math.Sin(2*v[6]+v[18]) - 0.8*(v[19]-1)*v[20] + 0.6*(v[0]*v[0]-1) -
		0.9*(d[0]-1.25)*(d[1]-1.2) + 0.7*(d[4]-1)*v[8] - 0.5*(d[5]-0.58) + 0.3*(d[6]-0.6)
	for i := range v {
		h.x[i] = float32(v[i])
	}
	return sigmoid(z)
}

// Add adds a row to a block.
func (h *Higgs) Add(b *dataset.Block, row int64) {
	label := h.random.label(h.make(row))
	b.Columns[0].Numbers = append(b.Columns[0].Numbers, label)
	for i, x := range h.x {
		b.Columns[1+i].Numbers = append(b.Columns[1+i].Numbers, float64(x))
	}
}

// Append adds a row as CSV.
func (h *Higgs) Append(dst []byte, row int64) []byte {
	dst = append(dst, '0'+byte(h.random.label(h.make(row))))
	for _, x := range h.x {
		dst = strconv.AppendFloat(append(dst, ','), float64(x), 'g', -1, 32)
	}
	return append(dst, '\n')
}

// Odds is how likely the label is 1.
func (h *Higgs) Odds(row int64) float64 { return h.make(row) }
