package mapper

import "reflect"

// meter knows about how much memory the values take that are kept by key.
type meter struct {
	each   int // bytes of a value itself
	weight int // bytes of memory for each of its encoding, behind its pointers; 0 where it has none
	known  int // memory behind the pointers when the values were last weighed
	grown  int // the most that has come since
}

func newMeter[V any]() meter {
	t := reflect.TypeFor[V]()
	m := meter{each: int(t.Size())}
	switch {
	case flat(t):
	case t.Kind() == reflect.String, t.Kind() == reflect.Slice && flat(t.Elem()):
		m.weight = 1
	default: // maps and what is behind pointers take several times their encoding
		m.weight = 8
	}
	return m
}

// add notes that a value was added or folded in whose encoding has so many bytes.
func (m *meter) add(encoded int) { m.grown += m.weight * encoded }

// size is the most that n values can take.
func (m *meter) size(n int) int { return n*m.each + m.known + m.grown }

// weigh notes what all values take, from the size of their encodings.
func (m *meter) weigh(encoded int) { m.known, m.grown = m.weight*encoded, 0 }

// flat reports whether all of a value is in itself, and travels.
func flat(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k >= reflect.Bool && k <= reflect.Complex128:
		return true
	case k == reflect.Array:
		return flat(t.Elem())
	case k == reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); !f.IsExported() || f.Tag.Get("msgpack") != "" || !flat(f.Type) {
				return false
			}
		}
		return t.NumMethod() == 0 && reflect.PointerTo(t).NumMethod() == 0 // it may encode itself
	}
	return false
}
