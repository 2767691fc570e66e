package preprocess

import (
	"cmp"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, HashWords{}) }

// HashWords makes of a column of text a sparse vector, in its place and with its name, without a pass over the data and
// without a vocabulary: each word counts 1 at the place that its hash tells, with a sign that is of the hash too. It is
// scikit-learn's HashingVectorizer. Words are those of [Words]. Sums that are zero are not stored.
type HashWords struct {
	Column    string
	Bits      int      // the width is 2^Bits: 1 to 30. Defaults to 20
	NGrams    int      // also runs of up to so many words. Defaults to 1
	KeepCase  bool     // capitals stay what they are
	StopWords []string // these are no words
	Unsigned  bool     // all signs are plus
	Norm      Norm     // defaults to L2
}

// Plan needs no pass.
func (s HashWords) Plan(in dataset.Schema) (Plan, error) {
	t := s
	t.Bits, t.Norm = cmp.Or(s.Bits, defaultBits), cmp.Or(s.Norm, L2)
	out, err := t.Out(in)
	return Plan{Reads: []string{s.Column}, Writes: []string{s.Column}, Out: out, Transform: t}, err
}

// Out has a vector.
func (s HashWords) Out(in dataset.Schema) (dataset.Schema, error) {
	at, err := textColumn("hash words", in, s.Column)
	if err == nil {
		err = checkBits("hash words", s.Bits)
	}
	if err == nil {
		err = s.Norm.check("hash words")
	}
	if err == nil {
		err = checkGrams("hash words", s.NGrams)
	}
	if err != nil {
		return in, err
	}
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	out.Columns[at] = dataset.Column{Name: s.Column, Kind: dataset.Vector, Width: 1 << s.Bits}
	return out, nil
}

// Apply hashes the words.
func (s HashWords) Apply(in dataset.Schema, b *dataset.Block) error {
	at, err := textColumn("hash words", in, s.Column)
	if err != nil {
		return err
	}
	words := Words{NGrams: s.NGrams, KeepCase: s.KeepCase, StopWords: s.StopWords}
	t, row, begin := words.tokenizer(), newSum(s.Bits), murmur{}
	v := dataset.Vectors{Ptr: make([]int, 1, b.Rows+1)}
	d := &b.Columns[at]
	sign := signMask(s.Unsigned)
	count := func(word []byte) { row.count(begin.sum(word), sign) }
	for i := range b.Rows {
		t.cut(d.Strings.At(i))
		t.each(count)
		row.store(&v, s.Norm)
	}
	b.Columns[at] = dataset.Data{Vectors: v}
	return nil
}
