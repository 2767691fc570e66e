package progress

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendClean appends s with everything that could steer a terminal made visible: controls as \x1b, \n or \u009b, what
// reverses or hides text as \u202e, bytes that are not UTF-8 as \xff. Tabs stay.
func appendClean(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && (' ' <= s[i] && s[i] < 0x7f || s[i] == '\t') {
			i++
		}
		if i > from { // most text is nothing but this
			dst = append(dst, s[from:i]...)
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			// Alone, a byte may still be a control to a terminal that does not read UTF-8: 0x9b begins a sequence.
			dst = append(dst, '\\', 'x', hex[s[i]>>4], hex[s[i]&15])
		case harmless(r):
			dst = append(dst, s[i:i+size]...)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		i += size
	}
	return dst
}

// harmless reports whether r may be written as it is. The joiners belong to emoji and to several scripts.
func harmless(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return r == '\t' || r == nonJoiner || r == joiner || unicode.IsGraphic(r)
}

// cleanName cleans the name of a job. It becomes part of a line of known width, so it has no tabs.
func cleanName(name string) string {
	if name == "" {
		return "job"
	}
	return strings.ReplaceAll(string(appendClean(nil, name)), "\t", " ")
}

// columnsOf is the most columns that s can take. How many it does take differs between terminals; two for all that lies
// beyond the alphabets is too much for some of it and too little for none.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOfRune(r)
	}
	return n
}

func columnsOfRune(r rune) int {
	if r < 0x1100 {
		return 1
	}
	return 2
}

// truncate cuts s to a number of columns, and marks the cut if there is room.
func truncate(s string, columns int) string {
	if columnsOf(s) <= columns {
		return s
	}
	mark := ".."
	if columns <= len(mark) {
		mark = ""
	}
	room := columns - len(mark)
	for i, r := range s {
		if room -= columnsOfRune(r); room < 0 {
			return s[:i] + mark
		}
	}
	return s
}
