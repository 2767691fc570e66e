package preprocess

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Words{}, TFIDF{}, &wordFitter{}) }

// Words makes of a column of text a sparse vector, in its place and with its name: how often each word of a vocabulary is in
// it. Words are runs of two and more letters, digits and underscores, in small letters. It is scikit-learn's
// CountVectorizer; characters are what this program's Unicode says that they are.
//
// The vocabulary is in the order of the words' bytes. Where Most leaves words out, those stay that are most frequent over all
// rows, of equally frequent ones those that are first in that order. A text that is missing is an empty one.
//
// It takes one pass, in which the words are counted by key. The vocabulary is in memory: 4 million words at most. Where both
// Most and MinRows or MaxShare are set, the driver holds all words of MinRows rows for a moment.
type Words struct {
	Column    string
	NGrams    int      // also runs of up to so many words, with a space between them. Defaults to 1
	Most      int      // only so many words; 0: all
	MinRows   int64    // only words that are in so many rows
	MaxShare  float64  // only words that are in at most this share of the rows; 0: all
	KeepCase  bool     // capitals stay what they are
	StopWords []string // these are no words, as they are after capitals were made small
}

// TFIDF is [Words] with weights: how often a word is in a text, times a measure of how few texts it is in, and the vectors of
// length 1. It is scikit-learn's TfidfVectorizer.
type TFIDF struct {
	Words
	Sublinear  bool // 1 + ln(n) in place of the number n
	Even       bool // words that are in few rows do not weigh more
	Unsmoothed bool // ln(rows/rows with it)+1 in place of ln((1+rows)/(1+rows with it))+1
	Norm       Norm // defaults to L2
}

// Plan needs a pass.
func (s Words) Plan(in dataset.Schema) (Plan, error) {
	return TFIDF{Words: s, Even: true, Norm: Unnormed}.Plan(in)
}

// Plan needs a pass.
func (s TFIDF) Plan(in dataset.Schema) (Plan, error) {
	at, err := textColumn("words", in, s.Column)
	if err != nil {
		return Plan{}, err
	}
	if err := s.Norm.check("words"); err != nil {
		return Plan{}, err
	}
	if err := checkGrams("words", s.NGrams); err != nil {
		return Plan{}, err
	}
	if s.Most < 0 || s.Most > maxValues || s.MinRows < 0 || !(s.MaxShare >= 0 && s.MaxShare <= 1) {
		return Plan{}, fmt.Errorf("words: the %d most frequent of those in %d rows and in a share of %g: at most %d, shares up to 1: %w", s.Most, s.MinRows, s.MaxShare, maxValues, fs.ErrInvalid)
	}
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	out.Columns[at] = dataset.Column{Name: s.Column, Kind: dataset.Vector, Width: -1}
	return Plan{Reads: []string{s.Column}, Writes: []string{s.Column}, Out: out, Fitter: &wordFitter{TFIDF: s}}, nil
}

// maxGrams bounds n-grams: a word is in as many as they are long.
const maxGrams = 16

func checkGrams(step string, n int) error {
	if n < 0 || n > maxGrams {
		return fmt.Errorf("%s: runs of %d words: at most %d: %w", step, n, maxGrams, fs.ErrInvalid)
	}
	return nil
}

// textColumn returns the position of a feature that is text.
func textColumn(step string, in dataset.Schema, name string) (int, error) {
	at, err := theOne(step, in, name)
	switch {
	case err != nil:
		return at, err
	case in.Columns[at].Kind != dataset.String:
		return at, errKind(step, in.Columns[at], dataset.String)
	case in.Columns[at].Role != dataset.Feature:
		return at, fmt.Errorf("%s: column %q is a %s: %w", step, name, in.Columns[at].Role, fs.ErrInvalid)
	}
	return at, nil
}

// tokenizer returns the one of the settings.
func (s *Words) tokenizer() *tokenizer {
	t := &tokenizer{grams: s.NGrams, cased: s.KeepCase}
	if len(s.StopWords) > 0 {
		t.stop = make(map[string]bool, len(s.StopWords))
		for _, w := range s.StopWords {
			t.stop[w] = true
		}
	}
	return t
}
