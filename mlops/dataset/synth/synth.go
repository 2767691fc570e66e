// Package synth makes datasets of any size by planted models, for tests and benchmarks: they have the form of well-known ones,
// and how well a model can be, at best, is known.
//
// A row is a function of the seed and its number alone: workers make the rows of their share, and the whole is the same
// however it is shared.
//
//	for b, err := range synth.Blocks(synth.NewHiggs(1), 0, 1_000_000) { … }
package synth

import (
	"io"
	"iter"
	"math"
	"math/rand/v2"

	"github.com/gowren/gowren/mlops/dataset"
)

// Table makes rows. It is for one goroutine.
type Table interface {
	// Schema is that of the rows.
	Schema() dataset.Schema
	// Add adds a row to a block of the schema.
	Add(b *dataset.Block, row int64)
	// Append adds a row to dst as a line of text.
	Append(dst []byte, row int64) []byte
	// Odds is how likely the label is 1, by the planted model, which knows the row without it.
	Odds(row int64) float64
}

// Blocks yields rows from a number on, below another, in blocks that it uses again.
func Blocks(t Table, from, to int64) iter.Seq2[*dataset.Block, error] {
	return func(yield func(*dataset.Block, error) bool) {
		b := &dataset.Block{Columns: make([]dataset.Data, len(t.Schema().Columns))}
		for from < to {
			b.Reset()
			for end := min(to, from+dataset.BlockRows); from < end; from++ {
				t.Add(b, from)
				b.IDs = append(b.IDs, scatter(uint64(from)))
				b.Rows++
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Write writes rows from a number on, below another, as lines of text.
func Write(w io.Writer, t Table, from, to int64) error {
	const enough = 1 << 18
	var text []byte
	for ; from < to; from++ {
		text = t.Append(text, from)
		if len(text) >= enough || from == to-1 {
			if _, err := w.Write(text); err != nil {
				return err
			}
			text = text[:0]
		}
	}
	return nil
}

// random are the numbers of a row.
type random struct {
	*rand.Rand
	source rand.PCG
	seed   uint64
}

func newRandom(seed uint64) *random {
	r := &random{seed: seed}
	r.Rand = rand.New(&r.source)
	return r
}

// row begins the numbers of a row.
func (r *random) row(row int64) { r.source.Seed(r.seed, scatter(uint64(row)+1)) }

// label is 1 as often as p says.
func (r *random) label(p float64) float64 {
	if r.Float64() < p {
		return 1
	}
	return 0
}

// scatter is the function of splitmix64 that makes an even number of any.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// weight is number i of a sequence that a seed names: near to normal, with a mean of 0 and a deviation of 1.
func weight(seed, sequence, i uint64) float64 {
	x := scatter(scatter(scatter(seed)+sequence) + i)
	sum := float64(x&0xffff) + float64(x>>16&0xffff) + float64(x>>32&0xffff) + float64(x>>48)
	return (sum/65536 - 2) * math.Sqrt(3)
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
