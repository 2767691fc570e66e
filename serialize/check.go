package serialize

import (
	"errors"
	"fmt"
)

// maxDepth is how deep arrays and maps may nest, in both directions.
const maxDepth = 1000

// maxLinks bounds the pointers and interfaces on the way to a value, which nest without a trace on the wire.
const maxLinks = 4 * maxDepth

var (
	errDepth    = fmt.Errorf("nested deeper than %d levels: either the value contains itself, or a long chain wants to be a slice", maxDepth)
	errTrailing = errors.New("bytes are left over after the value")
)

// checker walks encoded values without building anything. It keeps its stack between walks.
type checker struct{ stack []int }

// value returns the length of the value at the start of data. When it has returned without an error, every length inside
// that value is true and it nests no deeper than maxDepth-depth levels: decoding may allocate by lengths and recurse.
func (k *checker) value(data []byte, depth int) (int, error) {
	stack := k.stack[:0]
	defer func() { k.stack = stack[:0] }()
	pos, left := 0, 1
	for {
		for left == 0 {
			if len(stack) == 0 {
				return pos, nil
			}
			left = stack[len(stack)-1]
			stack = stack[:len(stack)-1]
		}
		left--
		if pos < len(data) && data[pos] <= 0x7f { // the most frequent of all, and string headers are next
			pos++
			continue
		}
		t, err := scan(data[pos:])
		if err != nil {
			return 0, err
		}
		pos += t.size
		switch t.form {
		case formStr, formBin, formExt:
			pos += t.n
		case formArray, formMap:
			if depth+len(stack) >= maxDepth {
				return 0, errDepth
			}
			stack = append(stack, left)
			left = t.n
			if t.form == formMap {
				left *= 2
			}
		}
	}
}

// count returns how many values data is made of.
func (k *checker) count(data []byte, depth int) (int, error) {
	values := 0
	for len(data) > 0 {
		n, err := k.value(data, depth)
		if err != nil {
			return 0, err
		}
		data = data[n:]
		values++
	}
	return values, nil
}
