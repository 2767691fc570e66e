package serialize

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// keyOrder is how the keys of a map are put in order.
type keyOrder uint8

const (
	orderWritten keyOrder = iota // by the bytes they are written as
	orderWords
	orderInts
	orderUints
)

func orderOf(key *plan) keyOrder {
	switch e := elementOf(key.typ.Kind()); {
	case key.custom:
		return orderWritten
	case key.typ.Kind() == reflect.String:
		return orderWords
	case e >= elemInt8 && e <= elemInt:
		return orderInts
	case e >= elemUint8 && e <= elemUint:
		return orderUints
	}
	return orderWritten
}

// sortedKey is a key's place among the keys as they came, with what decides most comparisons: comparing the first eight
// bytes as a number spares a sort most of its visits to the strings.
type sortedKey struct {
	prefix uint64
	at     int
}

func sortByPrefix(keys []sortedKey, tie func(a, b int) int) {
	slices.SortFunc(keys, func(a, b sortedKey) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return tie(a.at, b.at)
	})
}

// sortWords compares by the eight bytes after the start that all words share, such as the folder of a list of paths.
func sortWords(words []string) []sortedKey {
	keys := make([]sortedKey, len(words))
	shared := 0
	if len(words) > 0 {
		shared = len(words[0])
	}
	for _, w := range words {
		shared = min(shared, len(w))
		if w[:shared] == words[0][:shared] {
			continue
		}
		for i := range shared {
			if w[i] != words[0][i] {
				shared = i
				break
			}
		}
	}
	for i, w := range words {
		keys[i] = sortedKey{prefixOf(w[shared:]), i}
	}
	sortByPrefix(keys, func(a, b int) int { return strings.Compare(words[a], words[b]) })
	return keys
}

func prefixOf[S string | []byte](s S) uint64 {
	if len(s) >= 8 {
		return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 | uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
	}
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// writtenKeys are encoded keys, end to end.
type writtenKeys struct {
	b    []byte
	ends []int
}

func (w *writtenKeys) key(i int) []byte {
	start := 0
	if i > 0 {
		start = w.ends[i-1]
	}
	return w.b[start:w.ends[i]]
}

// sortKeys puts keys in order. Where that takes their encodings, it returns those too.
func (c *Coder) sortKeys(m *mapPlan, keys reflect.Value) ([]sortedKey, *writtenKeys, error) {
	n := keys.Len()
	if m.order == orderWords {
		words := make([]string, n)
		for i := range words {
			words[i] = keys.Index(i).String()
		}
		return sortWords(words), nil, nil
	}
	sorted := make([]sortedKey, n)
	byNumber := func(int, int) int { return 0 } // numbers of a map differ, and the prefix is all of them
	switch m.order {
	case orderInts:
		for i := range n {
			sorted[i] = sortedKey{uint64(keys.Index(i).Int()) ^ 1<<63, i}
		}
		sortByPrefix(sorted, byNumber)
		return sorted, nil, nil
	case orderUints:
		for i := range n {
			sorted[i] = sortedKey{keys.Index(i).Uint(), i}
		}
		sortByPrefix(sorted, byNumber)
		return sorted, nil, nil
	}
	written, err := c.writeKeys(m, keys)
	if err != nil {
		return nil, nil, err
	}
	for i := range n {
		sorted[i] = sortedKey{prefixOf(written.key(i)), i}
	}
	sortByPrefix(sorted, func(a, b int) int { return bytes.Compare(written.key(a), written.key(b)) })
	for i := 1; i < n; i++ {
		if bytes.Equal(written.key(sorted[i-1].at), written.key(sorted[i].at)) {
			return nil, nil, fmt.Errorf("two keys of a %s have one encoding: %v", m.typ, keys.Index(sorted[i].at))
		}
	}
	return sorted, written, nil
}

// writeKeys encodes keys, behind what has been written so far, and takes them away from there.
func (c *Coder) writeKeys(m *mapPlan, keys reflect.Value) (*writtenKeys, error) {
	start := len(c.out.b)
	w := &writtenKeys{ends: make([]int, keys.Len())}
	for i := range w.ends {
		k := keys.Index(i)
		if err := m.checkKey(c, k); err != nil {
			return nil, err
		}
		if err := m.key.enc(c, k); err != nil {
			return nil, fmt.Errorf("map key: %w", err)
		}
		w.ends[i] = len(c.out.b) - start
	}
	w.b = bytes.Clone(c.out.b[start:])
	c.out.b = c.out.b[:start]
	return w, nil
}

// checkKey refuses keys that would come back from an interface as something that cannot be a key.
func (m *mapPlan) checkKey(c *Coder, k reflect.Value) error {
	p := m.key
	if k.Kind() == reflect.Interface {
		if k.IsNil() {
			return nil
		}
		if p = planOf(k.Elem().Type()); p.custom { // it comes back as bytes, mostly
			return m.refuseKey(p.typ)
		}
	} else if c.dynamic == 0 {
		return nil
	}
	switch p.typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
	case reflect.Struct:
		if p.fields == nil {
			return nil
		}
	default:
		return nil
	}
	return m.refuseKey(p.typ)
}

func (m *mapPlan) refuseKey(t reflect.Type) error {
	return fmt.Errorf("a key of type %s does not come back from an interface as a key: use a map type whose key is %s, and no interface around it", t, t)
}
