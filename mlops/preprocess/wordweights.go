package preprocess

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, &WordWeights{}) }

// WordWeights is what [Words] and [TFIDF] become.
type WordWeights struct {
	Column    string
	NGrams    int
	KeepCase  bool
	StopWords Values
	Words     Values
	Weights   []float64 // by word; none: all are 1
	Sublinear bool
	Norm      Norm

	once   sync.Once
	places map[string]uint32
	spare  sync.Pool // of *wordCounts
}

// wordCounts are those of a row.
type wordCounts struct {
	*tokenizer
	counts []int32 // by word
	words  []uint32
	values []float64
}

// Out has a vector.
func (t *WordWeights) Out(in dataset.Schema) (dataset.Schema, error) {
	at, err := textColumn("words", in, t.Column)
	if err != nil {
		return in, err
	}
	if len(t.Words) == 0 || len(t.Weights) != 0 && len(t.Weights) != len(t.Words) {
		return in, fmt.Errorf("words: %d words with %d weights: %w", len(t.Words), len(t.Weights), fs.ErrInvalid)
	}
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	out.Columns[at] = dataset.Column{Name: t.Column, Kind: dataset.Vector, Width: len(t.Words)}
	return out, nil
}

func (t *WordWeights) prepare() {
	t.places = make(map[string]uint32, len(t.Words))
	for i, w := range t.Words {
		t.places[w] = uint32(i)
	}
}

// take returns room for a row's counts.
func (t *WordWeights) take() *wordCounts {
	if c, ok := t.spare.Get().(*wordCounts); ok {
		return c
	}
	s := Words{NGrams: t.NGrams, KeepCase: t.KeepCase, StopWords: t.StopWords}
	return &wordCounts{tokenizer: s.tokenizer(), counts: make([]int32, len(t.Words))}
}

// Apply makes a vector of the text.
func (t *WordWeights) Apply(in dataset.Schema, b *dataset.Block) error {
	at, err := textColumn("words", in, t.Column)
	if err != nil {
		return err
	}
	t.once.Do(t.prepare)
	c := t.take()
	defer t.spare.Put(c)
	d := &b.Columns[at]
	v := dataset.Vectors{Ptr: make([]int, 1, b.Rows+1)}
	see := func(word []byte) {
		place, known := t.places[string(word)]
		if !known {
			return
		}
		if c.counts[place]++; c.counts[place] == 1 {
			c.words = append(c.words, place)
		}
	}
	for row := range b.Rows {
		c.cut(d.Strings.At(row))
		c.each(see)
		t.store(&v, c)
	}
	b.Columns[at] = dataset.Data{Vectors: v}
	return nil
}

// store adds a row.
func (t *WordWeights) store(v *dataset.Vectors, c *wordCounts) {
	slices.Sort(c.words)
	for _, w := range c.words {
		x := float64(c.counts[w])
		c.counts[w] = 0
		if t.Sublinear {
			x = math.Log(x) + 1
		}
		if len(t.Weights) > 0 {
			x *= t.Weights[w]
		}
		c.values = append(c.values, x)
	}
	by := t.Norm.of(c.values)
	v.Idx = append(v.Idx, c.words...)
	for _, x := range c.values {
		v.Val = append(v.Val, float32(x/by))
	}
	v.Ptr = append(v.Ptr, len(v.Idx))
	c.words, c.values = c.words[:0], c.values[:0]
}
