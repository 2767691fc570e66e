package preprocess

import (
	"cmp"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// wordFitter counts words and rows.
type wordFitter struct {
	TFIDF TFIDF
	Rows  int64

	tokens *tokenizer
	seen   occurrences
	found  []Counted
}

// See counts rows.
func (f *wordFitter) See(_ dataset.Schema, b *dataset.Block) error {
	f.Rows += int64(b.Rows)
	return nil
}

// Merge adds rows.
func (f *wordFitter) Merge(other Fitter) error {
	o, ok := other.(*wordFitter)
	if !ok {
		return fmt.Errorf("words: a %T is to be merged: %w", other, fs.ErrInvalid)
	}
	f.Rows += o.Rows
	return nil
}

// Count counts words.
func (f *wordFitter) Count(in dataset.Schema, b *dataset.Block, emit func(list string, value []byte, n, rows int64)) error {
	at, err := textColumn("words", in, f.TFIDF.Column)
	if err != nil {
		return err
	}
	if f.tokens == nil {
		f.tokens = f.TFIDF.tokenizer()
	}
	d := &b.Columns[at]
	row := 0
	add := func(word []byte) { f.seen.add(word, row) }
	for ; row < b.Rows; row++ {
		f.tokens.cut(d.Strings.At(row))
		f.tokens.each(add)
	}
	f.seen.emit("", emit)
	return nil
}

// Want asks for the words. Whether a word is in too few rows, or too many, comes before how frequent it is.
func (f *wordFitter) Want() map[string]Want {
	w := Want{Least: f.TFIDF.MinRows, ByRows: true}
	if s := f.TFIDF; s.Most > 0 && s.MinRows <= 1 && s.MaxShare == 0 {
		w = Want{Most: s.Most}
	}
	return map[string]Want{"": w}
}

// Counted takes the words.
func (f *wordFitter) Counted(_ string, values []Counted) error {
	if len(values) > maxValues {
		return f.full("")
	}
	f.found = values
	return nil
}

// full is the error of a column that has too many words.
func (f *wordFitter) full(string) error {
	return fmt.Errorf("column %q has more than %d words, or they take more than %d MiB: set Most alone, raise MinRows, or use HashWords: %w", f.TFIDF.Column, maxValues, maxListBytes>>20, fs.ErrInvalid)
}

// Fit makes the transform.
func (f *wordFitter) Fit() (Transform, error) {
	s := f.TFIDF
	if s.MaxShare > 0 {
		f.found = slices.DeleteFunc(f.found, func(c Counted) bool { return float64(c.Rows) > s.MaxShare*float64(f.Rows) })
	}
	byWord := func(a, b Counted) int { return slices.Compare(a.Value, b.Value) }
	if s.Most > 0 && len(f.found) > s.Most {
		slices.SortFunc(f.found, func(a, b Counted) int { return cmp.Or(cmp.Compare(b.N, a.N), byWord(a, b)) })
		f.found = f.found[:s.Most]
	}
	slices.SortFunc(f.found, byWord)
	if len(f.found) == 0 {
		return nil, fmt.Errorf("words: no word of column %q is left, of %d rows: %w", s.Column, f.Rows, fs.ErrInvalid)
	}
	t := &WordWeights{
		Column: s.Column, NGrams: s.NGrams, KeepCase: s.KeepCase, StopWords: s.StopWords,
		Sublinear: s.Sublinear, Norm: cmp.Or(s.Norm, L2),
	}
	for _, c := range f.found {
		t.Words = append(t.Words, string(c.Value))
		if !s.Even {
			t.Weights = append(t.Weights, s.weight(c.Rows, f.Rows))
		}
	}
	return t, nil
}

// weight is that of a word which is in some of the rows.
func (s TFIDF) weight(with, rows int64) float64 {
	if !s.Unsmoothed {
		with, rows = with+1, rows+1
	}
	return math.Log(float64(rows)/float64(with)) + 1
}
