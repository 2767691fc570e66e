package preprocess

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Small letters are those of full case mapping, where there is not one for one: a capital sigma at the end of a word is the
// final one, and a capital I with a dot is an i and a dot above, which is no part of a word.

const (
	sigma      = '\u03a3'
	smallSigma = '\u03c3'
	finalSigma = '\u03c2'
	dottedI    = '\u0130'
)

// lowerSigma returns the small letter of a capital sigma that is between two texts.
func lowerSigma(before, after []byte) rune {
	for len(before) > 0 {
		r, size := utf8.DecodeLastRune(before)
		if !ignorable(r) {
			if !cased(r) {
				return smallSigma
			}
			break
		}
		before = before[:len(before)-size]
	}
	if len(before) == 0 {
		return smallSigma
	}
	for len(after) > 0 {
		r, size := utf8.DecodeRune(after)
		if !ignorable(r) {
			if cased(r) {
				return smallSigma
			}
			break
		}
		after = after[size:]
	}
	return finalSigma
}

// cased reports whether a letter is a capital, a small one or a title.
func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// ignorable reports whether a character does not end a word, as far as sigmas go.
func ignorable(r rune) bool {
	return strings.ContainsRune("'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r) ||
		unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
