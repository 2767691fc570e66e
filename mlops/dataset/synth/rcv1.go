package synth

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/gowren/gowren/mlops/dataset"
)

const (
	rcv1Width  = 47_236
	rcv1Topics = 40
)

// RCV1 makes sparse rows of 47,236 weights of words, some 75 of them not zero, as the news of the RCV1 dataset have them:
// few words are frequent, those of a text are of two topics mostly, and rows have the length 1. The label depends on
// weights of topics and of words, and a linear model can find it. Text is libsvm's: the label, +1 or -1, and place:value,
// from 1 on.
type RCV1 struct {
	random  *random
	zipf    *rand.Zipf
	weights []float64 // planted
	idf     []float64
	counts  []int32
	words   []uint32
	values  []float32
}

// NewRCV1 returns the table of a seed.
func NewRCV1(seed uint64) *RCV1 {
	t := &RCV1{random: newRandom(seed), weights: make([]float64, rcv1Width), idf: make([]float64, rcv1Width), counts: make([]int32, rcv1Width)}
	t.zipf = rand.NewZipf(t.random.Rand, 1.12, 12, rcv1Width/rcv1Topics-1)
	for j := range t.weights {
		t.weights[j] = 0.55*weight(seed, 0, uint64(j)) + 0.85*weight(seed, 1, uint64(j%rcv1Topics))
		t.idf[j] = math.Log(1 + float64(j+12)/6)
	}
	return t
}

// Schema has the label, 1 or -1, and a vector.
func (*RCV1) Schema() dataset.Schema {
	return dataset.Schema{Columns: []dataset.Column{
		{Name: "label", Kind: dataset.Number, Role: dataset.Label},
		{Name: "features", Kind: dataset.Vector, Width: rcv1Width},
	}}
}

// make makes a row, and returns its odds.
func (t *RCV1) make(row int64) float64 {
	r := t.random
	r.row(row)
	t.words, t.values = t.words[:0], t.values[:0]
	first, second := r.IntN(rcv1Topics), r.IntN(rcv1Topics)
	for range min(max(int(math.Exp(4.25+0.55*r.NormFloat64())), 8), 600) {
		topic := r.IntN(rcv1Topics)
		switch u := r.Float64(); {
		case u < 0.45:
			topic = first
		case u < 0.65:
			topic = second
		}
		word := uint32(t.zipf.Uint64())*rcv1Topics + uint32(topic)
		if t.counts[word]++; t.counts[word] == 1 {
			t.words = append(t.words, word)
		}
	}
	slices.Sort(t.words)
	square := 0.0
	for _, w := range t.words {
		x := (1 + math.Log(float64(t.counts[w]))) * t.idf[w]
		t.counts[w] = 0
		t.values = append(t.values, float32(x))
		square += x * x
	}
	z := 0.0
	for i, w := range t.words {
		t.values[i] = float32(float64(t.values[i]) / math.Sqrt(square))
		z += t.weights[w] * float64(t.values[i])
	}
	return sigmoid(2 * z)
}

// Add adds a row to a block.
func (t *RCV1) Add(b *dataset.Block, row int64) {
	label := 2*t.random.label(t.make(row)) - 1
	b.Columns[0].Numbers = append(b.Columns[0].Numbers, label)
	v := &b.Columns[1].Vectors
	if len(v.Ptr) == 0 {
		v.Ptr = append(v.Ptr, 0)
	}
	v.Idx, v.Val = append(v.Idx, t.words...), append(v.Val, t.values...)
	v.Ptr = append(v.Ptr, len(v.Idx))
}

// Append adds a row as libsvm's text.
func (t *RCV1) Append(dst []byte, row int64) []byte {
	if t.random.label(t.make(row)) == 1 {
		dst = append(dst, "+1"...)
	} else {
		dst = append(dst, "-1"...)
	}
	for i, w := range t.words {
		dst = strconv.AppendUint(append(dst, ' '), uint64(w)+1, 10)
		dst = strconv.AppendFloat(append(dst, ':'), float64(t.values[i]), 'g', -1, 32)
	}
	return append(dst, '\n')
}

// Odds is how likely the label is 1.
func (t *RCV1) Odds(row int64) float64 { return t.make(row) }
