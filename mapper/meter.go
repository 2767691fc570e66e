package mapper

import "reflect"

// meter estimates the memory of values that are kept by key. What is behind their pointers it knows by samples: the
// encoded size of one value in a while.
type meter struct {
	each    int  // bytes of a value itself
	behind  bool // there may be more behind its pointers
	calls   uint
	sampled int // bytes of the samples
	count   int
}

// sampling is how many calls pass from one sample to the next.
const sampling = 512

func newMeter[V any]() meter {
	t := reflect.TypeFor[V]()
	return meter{each: int(t.Size()), behind: !flat(t, false)}
}

// flat reports whether all of a value is in itself, or, with text, in strings: those are never changed.
func flat(t reflect.Type, text bool) bool {
	switch k := t.Kind(); {
	case k == reflect.String:
		return text
	case k >= reflect.Bool && k <= reflect.Complex128:
		return true
	case k == reflect.Array:
		return flat(t.Elem(), text)
	case k == reflect.Struct:
		for i := range t.NumField() {
			if !flat(t.Field(i).Type, text) {
				return false
			}
		}
		return true
	}
	return false
}

// due reports whether it is time to look at the memory: when a key was added, or after many calls.
func (m *meter) due(added bool) bool {
	m.calls++
	return added || m.calls%sampling == 0
}

// samples reports whether a sample is to be taken now.
func (m *meter) samples() bool { return m.behind && (m.calls%sampling == 0 || m.count == 0) }

func (m *meter) sample(size int) {
	m.sampled += size
	m.count++
}

// size is the memory of n values.
func (m *meter) size(n int) int {
	if m.count == 0 {
		return n * m.each
	}
	return n * (m.each + m.sampled/m.count)
}
