package preprocess

import (
	"errors"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// TestTokens holds words against those that Python's regular expression finds.
func TestTokens(t *testing.T) {
	t.Parallel()
	lower, cased := &tokenizer{}, &tokenizer{cased: true}
	for _, c := range wordsReference(t).Tokens {
		if got := wordsIn(lower, c.Text); !slices.Equal(got, c.Lower) {
			t.Errorf("%+q: %+q, want %+q", c.Text, got, c.Lower)
		}
		if got := wordsIn(cased, c.Text); !slices.Equal(got, c.Cased) {
			t.Errorf("%+q, cased: %+q, want %+q", c.Text, got, c.Cased)
		}
	}
}

func wordsIn(t *tokenizer, text string) []string {
	words := []string{}
	t.cut([]byte(text))
	t.each(func(w []byte) { words = append(words, string(w)) })
	return words
}

// FuzzTokens holds words against a regular expression of the same meaning, for any bytes.
func FuzzTokens(f *testing.F) {
	for _, s := range []string{"", "a bc", "x_1 \xff\xfeab", "é́é", "東京 ٠١"} {
		f.Add(s)
	}
	two := regexp.MustCompile(`[\pL\pN_]{2,}`)
	f.Fuzz(func(t *testing.T, text string) {
		want := two.FindAllString(text, -1)
		got := wordsIn(&tokenizer{cased: true}, text)
		if !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Fatalf("%+q: %+q, want %+q", text, got, want)
		}
		for _, w := range wordsIn(&tokenizer{grams: 3}, text) {
			if strings.Count(w, " ") > 2 || w == "" {
				t.Fatalf("%+q: the run %+q", text, w)
			}
		}
	})
}

// TestWordsReference holds Words and TFIDF against CountVectorizer and TfidfVectorizer.
func TestWordsReference(t *testing.T) {
	t.Parallel()
	r := wordsReference(t)
	c := textsOf(r.Texts)
	for name, x := range map[string]struct {
		step Step
		want vocabularyOf
	}{
		"counts":    {Words{Column: "text"}, r.Counts},
		"min":       {Words{Column: "text", MinRows: 2, MaxShare: 0.2}, r.Min},
		"grams":     {Words{Column: "text", NGrams: 3, StopWords: []string{"the", "over"}}, r.Grams},
		"cased":     {Words{Column: "text", KeepCase: true}, r.Cased},
		"tfidf":     {TFIDF{Words: Words{Column: "text"}}, r.TFIDF},
		"sublinear": {TFIDF{Words: Words{Column: "text", NGrams: 2}, Sublinear: true, Norm: L1, Unsmoothed: true}, r.Sublinear},
		"plain":     {TFIDF{Words: Words{Column: "text"}, Even: true}, r.Plain},
		"raw":       {TFIDF{Words: Words{Column: "text"}, Norm: Unnormed}, r.Raw},
	} {
		f := c.fit(t, x.step)
		if got := f.Values("text"); !slices.Equal(got, x.want.Words) {
			t.Errorf("%s: the words are %q, want %q", name, got, x.want.Words)
			continue
		}
		sameSparse(t, name, c.vectors(t, f), x.want.Rows)
	}
	sameSparse(t, "hashed", c.vectors(t, c.fit(t, HashWords{Column: "text", Bits: 6, NGrams: 2})), r.HashWords)
	sameSparse(t, "hashed, unsigned", c.vectors(t, c.fit(t, HashWords{Column: "text", Unsigned: true, Norm: L1})), r.HashPlain)
}

// TestWordsMost holds the words that stay. Which of equally frequent ones scikit-learn takes is not told; here it is the first.
func TestWordsMost(t *testing.T) {
	t.Parallel()
	r := wordsReference(t)
	c := textsOf(r.Texts)
	totals := map[string]float64{}
	for _, row := range r.Counts.Rows {
		for i, at := range row.Idx {
			totals[r.Counts.Words[at]] += row.Val[i]
		}
	}
	for name, x := range map[string]struct {
		step Words
		want vocabularyOf
	}{
		"most":   {Words{Column: "text", Most: 12}, r.Limited},
		"bounds": {Words{Column: "text", Most: 4, MinRows: 2, MaxShare: 0.2}, r.Bounds},
	} {
		got := c.fit(t, x.step).Values("text")
		counts := func(words []string) []float64 {
			var n []float64
			for _, w := range words {
				n = append(n, totals[w])
			}
			slices.Sort(n)
			return n
		}
		if !slices.IsSorted(got) || !slices.Equal(counts(got), counts(x.want.Words)) {
			t.Errorf("%s: %q, want as frequent ones as %q", name, got, x.want.Words)
		}
	}
	ties := textsOf([]string{"bb aa cc", "aa cc bb", "dd dd"})
	if got := ties.fit(t, Words{Column: "text", Most: 3}).Values("text"); !slices.Equal(got, []string{"aa", "bb", "cc"}) {
		t.Errorf("of equals, there stay %q", got)
	}
}

// TestWordsEdges holds texts that are missing, new words, and columns without any.
func TestWordsEdges(t *testing.T) {
	t.Parallel()
	c := columnOf("text", "aa bb", nil, "aa")
	f := c.fit(t, TFIDF{Words: Words{Column: "text"}, Norm: Unnormed})
	w, ok := f.Transforms()[0].(*WordWeights)
	if !ok || math.Abs(w.Weights[0]-(math.Log(4.0/3)+1)) > 1e-15 {
		t.Errorf("the weights are %v: a missing text is a row", w.Weights)
	}
	if rows := columnOf("text", "cc", nil, "BB").vectors(t, f); len(rows[0].Idx) != 0 || len(rows[1].Idx) != 0 || rows[2].Idx[0] != 1 {
		t.Errorf("new words are %v", rows)
	}
	for name, c := range map[string]*columns{"none": columnOf("text", "a", "-"), "empty": columnOf("text")} {
		if _, err := (Pipeline{Words{Column: "text"}}).FitBlocks(c.Schema, c.blocks(3)); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `"text"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	in := columnOf("text").add("n", dataset.Number).Schema
	for name, s := range map[string]Step{
		"kind": Words{Column: "n"}, "share": Words{Column: "text", MaxShare: 1.5}, "most": Words{Column: "text", Most: -1},
		"NaN": Words{Column: "text", MaxShare: math.NaN()}, "norm": TFIDF{Words: Words{Column: "text"}, Norm: "x"}, "grams": Words{Column: "text", NGrams: 17},
	} {
		if _, err := s.Plan(in); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Words{Column: "x"}).Plan(in); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such column: %v", err)
	}
}
