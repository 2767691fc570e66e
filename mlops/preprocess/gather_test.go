package preprocess

import (
	"encoding/binary"
	"strings"
	"testing"
)

// TestGathering counts more values than a gathering holds, many and long ones, and loses none.
func TestGathering(t *testing.T) {
	t.Parallel()
	got, calls := map[string]tally{}, 0
	g := newGathering(func(key string, c tally) { got[key], calls = got[key].add(c), calls+1 })
	want := map[string]tally{}
	for i := range 3 * gatheredValues {
		value := binary.BigEndian.AppendUint32(nil, uint32(i%(gatheredValues+10)))
		if i%1000 == 0 {
			value = []byte(strings.Repeat("long", 20_000+i/1000))
		}
		list := []string{"a", "b"}[i/7%2]
		if err := g.add(i%2, list, value, int64(i), 1); err != nil {
			t.Fatal(err)
		}
		key := place{i % 2, list, string(value)}.key()
		want[key] = want[key].add(tally{N: int64(i), Rows: 1})
		if len(g.found) > gatheredValues || g.bytes > gatheredBytes {
			t.Fatalf("it holds %d values with %d bytes", len(g.found), g.bytes)
		}
	}
	for range 1000 {
		if err := g.add(0, "a", []byte("x"), 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	want[place{0, "a", "x"}.key()] = tally{N: 1000, Rows: 1000}
	g.flush()
	if len(g.found) != 0 || len(got) != len(want) {
		t.Fatalf("%d values of %d, and %d are left", len(got), len(want), len(g.found))
	}
	for key, c := range want {
		if got[key] != c {
			t.Fatalf("%.20q: %+v, want %+v", key, got[key], c)
		}
	}
}
