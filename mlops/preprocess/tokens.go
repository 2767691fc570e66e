package preprocess

import (
	"unicode"
	"unicode/utf8"
)

// tokenizer cuts text into words: runs of two and more letters, digits and underscores, as the regular expression
// (?u)\b\w\w+\b finds them. What is not UTF-8 is no letter. It keeps the words of a text one after another, with a space
// between them, so that an n-gram is a piece of that.
type tokenizer struct {
	grams  int
	cased  bool
	stop   map[string]bool
	text   []byte
	begins []int
	ends   []int
	open   int // where the word begins that is not ended
	runes  int // of it
}

// letters are the characters of words, of one byte, as small letters; small is what they are when case is kept.
var letters, small = func() (as, lower [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_':
			as[c], lower[c] = c, c
		case c >= 'A' && c <= 'Z':
			as[c], lower[c] = c, c+'a'-'A'
		}
	}
	return as, lower
}()

// cut cuts a text. What it has found is valid until the next one.
func (t *tokenizer) cut(text []byte) {
	t.text, t.begins, t.ends, t.open, t.runes = t.text[:0], t.begins[:0], t.ends[:0], 0, 0
	table := &small
	if t.cased {
		table = &letters
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			if l := table[c]; l != 0 {
				t.text = append(t.text, l)
				t.runes++
			} else if t.runes > 0 {
				t.end()
			}
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) || r == utf8.RuneError {
			t.end()
			i += size
			continue
		}
		t.runes++
		switch {
		case t.cased:
			t.text = append(t.text, text[i:i+size]...)
		case r == dottedI:
			t.text = append(t.text, 'i')
			t.end() // at the dot above
		case r == sigma:
			t.text = utf8.AppendRune(t.text, lowerSigma(text[:i], text[i+size:]))
		default:
			t.text = utf8.AppendRune(t.text, unicode.ToLower(r))
		}
		i += size
	}
	t.end()
}

// end ends a word.
func (t *tokenizer) end() {
	if t.runes >= 2 && (t.stop == nil || !t.stop[string(t.text[t.open:])]) {
		t.begins, t.ends = append(t.begins, t.open), append(t.ends, len(t.text))
		t.text = append(t.text, ' ')
	} else {
		t.text = t.text[:t.open]
	}
	t.open, t.runes = len(t.text), 0
}

// each calls f with all words, and all runs of up to grams of them.
func (t *tokenizer) each(f func(word []byte)) {
	for i, begin := range t.begins {
		for _, end := range t.ends[i:min(i+max(t.grams, 1), len(t.ends))] {
			f(t.text[begin:end])
		}
	}
}
