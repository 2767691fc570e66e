package dataset

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// kindOf returns what a value of JSON is: '"', '0' for numbers, 't', 'f', '[', '{', and 'n' for null or no value at all.
func kindOf(v []byte) byte {
	if len(v) == 0 {
		return 'n'
	}
	if v[0] == '-' || v[0]-'0' < 10 {
		return '0'
	}
	return v[0]
}

func unescape(v []byte) string {
	var s string
	_ = json.Unmarshal(v, &s) // which was found to be valid
	return s
}

func blank(line []byte) bool { return len(bytes.Trim(line, " \t\r")) == 0 }

// members calls use with the keys and values of an object, in their order. Those that are not wanted may be no UTF-8.
func members(line []byte, wanted func(key []byte) bool, use func(key, value []byte)) *RowError {
	text := utf8.Valid(line)
	if !json.Valid(line) {
		if !text {
			return rowError(BadText, "", "invalid UTF-8")
		}
		var x any
		err := json.Unmarshal(line, &x) // which tells what is wrong
		return rowError(BadSyntax, "", "no JSON: %v%s", err, hintJSON(line))
	}
	i := space(line, 0)
	if line[i] != '{' {
		return rowError(BadSyntax, "", "%.60q is no object%s", line, hintJSON(line))
	}
	for i = space(line, i+1); line[i] != '}'; {
		if line[i] == ',' {
			i = space(line, i+1)
		}
		end := past(line, i)
		key := line[i+1 : end-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = []byte(unescape(line[i:end]))
		}
		i = space(line, space(line, end)+1) // behind the colon
		end = past(line, i)
		if !text && (!utf8.Valid(key) || wanted(key) && !utf8.Valid(line[i:end])) {
			return rowError(BadText, "", "invalid UTF-8")
		}
		use(key, line[i:end])
		i = space(line, end)
	}
	return nil
}

// elements calls use with the elements of an array.
func elements(v []byte, use func(e []byte) *RowError) *RowError {
	for i := space(v, 1); v[i] != ']'; {
		if v[i] == ',' {
			i = space(v, i+1)
		}
		end := past(v, i)
		if bad := use(v[i:end]); bad != nil {
			return bad
		}
		i = space(v, end)
	}
	return nil
}

// space returns where the blanks from i on end.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// pastString returns where the string that begins at i ends.
func pastString(b []byte, i int) int {
	for {
		i += 1 + bytes.IndexByte(b[i+1:], '"')
		slashes := i
		for b[slashes-1] == '\\' { // at the latest, the quote that begins it is none
			slashes--
		}
		if (i-slashes)%2 == 0 {
			return i + 1
		}
	}
}

// past returns where the value that begins at i ends, in JSON that is valid.
func past(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			i = pastString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n': // within one that is nested
			i++
			continue
		default:
			for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != ']' && b[i] != '}' {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}
