package mapper_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// shape is a type of key and one of value, with functions that are registered for them.
type shape struct {
	name string
	// check runs a job over drawn records, cut into inputs in a drawn way, and compares it with a reference.
	check func(t *testing.T, ex *mapper.Executor, seed uint64)
}

// gathered is a shape whose reducer returns all values of a key, so that their order shows.
func gathered[K cmp.Ordered, V any](name string, key func(*rand.Rand) K, value func(*rand.Rand) V) shape {
	m := mapper.Emit("gather-emit-"+name, emitAll[K, V])
	r := mapper.ReduceByKey("gather-"+name, func(_ context.Context, _ K, values iter.Seq[V]) ([]V, error) {
		return slices.Collect(values), nil
	})
	return shape{name, func(t *testing.T, ex *mapper.Executor, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 11))
		records := draw(random, key, value)
		got, err := mapper.MapReduceByKey(t.Context(), ex, m, r, cut(random, records))
		if err != nil {
			t.Fatal(err)
		}
		samePairs(t, got, grouped(records))
	}}
}

// folded is a shape whose values are made one, on the way by Combine and at the end by the reducer. The function must be
// associative; where it is not commutative, the order shows.
func folded[K cmp.Ordered, V any](name string, key func(*rand.Rand) K, value func(*rand.Rand) V, fold func(a, b V) V) shape {
	m := mapper.Emit("fold-emit-"+name, emitAll[K, V])
	r := mapper.ReduceByKey("fold-"+name, func(_ context.Context, _ K, values iter.Seq[V]) (V, error) {
		return foldAll(values, fold), nil
	}).Combine(fold)
	return shape{name, func(t *testing.T, ex *mapper.Executor, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 12))
		records := draw(random, key, value)
		var want []mapper.Pair[K, V]
		got, err := mapper.MapReduceByKey(t.Context(), ex, m, r, cut(random, records))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range grouped(records) {
			want = append(want, mapper.Pair[K, V]{Key: p.Key, Value: foldAll(slices.Values(p.Value), fold)})
		}
		samePairs(t, got, want)
	}}
}

func emitAll[K cmp.Ordered, V any](_ context.Context, records []mapper.Pair[K, V], emit func(K, V)) error {
	for _, r := range records {
		emit(r.Key, r.Value)
	}
	return nil
}

func foldAll[V any](values iter.Seq[V], fold func(a, b V) V) (all V) {
	first := true
	for v := range values {
		if first {
			all, first = v, false
		} else {
			all = fold(all, v)
		}
	}
	return all
}

// draw returns records, of which many have equal keys; sometimes all, sometimes none are there.
func draw[K cmp.Ordered, V any](r *rand.Rand, key func(*rand.Rand) K, value func(*rand.Rand) V) []mapper.Pair[K, V] {
	keys := make([]K, 1+r.IntN(300))
	for i := range keys {
		keys[i] = key(r)
	}
	if r.IntN(6) == 0 {
		keys = keys[:1]
	}
	records := make([]mapper.Pair[K, V], r.IntN(1500))
	for i := range records {
		records[i] = mapper.Pair[K, V]{Key: keys[r.IntN(len(keys))], Value: value(r)}
	}
	if r.IntN(10) == 0 {
		return nil
	}
	return records
}

// cut returns the records in inputs of drawn sizes, some of them empty.
func cut[T any](r *rand.Rand, records []T) [][]T {
	inputs := [][]T{}
	for most := 1 + r.IntN(1+len(records)); len(records) > 0; {
		n := min(r.IntN(most+1), len(records))
		if n == 0 && r.IntN(4) > 0 {
			n = 1
		}
		inputs, records = append(inputs, records[:n]), records[n:]
	}
	return inputs
}

// grouped is the reference: a stable sort in memory.
func grouped[K cmp.Ordered, V any](records []mapper.Pair[K, V]) []mapper.Pair[K, []V] {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b mapper.Pair[K, V]) int { return cmp.Compare(a.Key, b.Key) })
	var groups []mapper.Pair[K, []V]
	for _, r := range records {
		if n := len(groups); n == 0 || cmp.Compare(groups[n-1].Key, r.Key) != 0 {
			groups = append(groups, mapper.Pair[K, []V]{Key: r.Key})
		}
		last := &groups[len(groups)-1]
		last.Value = append(last.Value, r.Value)
	}
	return groups
}

func samePairs[K cmp.Ordered, V any](t *testing.T, got, want []mapper.Pair[K, V]) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d pairs, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if cmp.Compare(g.Key, w.Key) != 0 || !reflect.DeepEqual(g.Value, w.Value) {
			t.Fatalf("pair %d is %v %.300q, want %v %.300q", i, g.Key, fmt.Sprint(g.Value), w.Key, fmt.Sprint(w.Value))
		}
		if f := reflect.ValueOf(g.Key); f.CanFloat() && f.Float() == 0 && math.Signbit(f.Float()) {
			t.Errorf("the key -0 is not made 0")
		}
	}
}

func drawText(r *rand.Rand) string {
	switch r.IntN(7) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("\x00", r.IntN(12))
	case 2:
		return "a\xff\xfe"[:r.IntN(4)] + strings.Repeat("\x00", r.IntN(3)) + "\xc3"
	case 3:
		return strings.Repeat("much alike ", 5) + fmt.Sprint(r.IntN(50))
	default:
		return fmt.Sprint(r.IntN(200))
	}
}

// drawInt draws small numbers, large ones and the ends of the type.
func drawInt[K int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64 | year](r *rand.Rand) K {
	switch r.IntN(5) {
	case 0:
		return K(r.Uint64() >> r.IntN(64))
	case 1:
		return ^K(0) // the largest, or -1
	case 2: // 0 and the least, or the largest of those that are signed
		least := K(1) << (8*reflect.TypeFor[K]().Size() - 1)
		return least - K(r.IntN(2))
	default:
		return K(r.IntN(100)) - 50
	}
}

func drawFloat(r *rand.Rand) float64 {
	special := []float64{0, math.Copysign(0, -1), math.NaN(), -math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, -1}
	if r.IntN(3) == 0 {
		return special[r.IntN(len(special))]
	}
	return math.Round(r.NormFloat64()*20) / 4
}

// Named types, whose kinds alone are those of keys.
type (
	city string
	year int32
	heat float64
	// entry has something of all in it.
	entry struct {
		N    int
		Name string
		Tags []string
	}
)

func drawEntry(r *rand.Rand) entry {
	return entry{N: r.IntN(9), Name: drawText(r), Tags: [][]string{nil, {}, {"a", ""}}[r.IntN(3)]}
}

func drawBytes(r *rand.Rand) []byte {
	return [][]byte{nil, {}, {0}, []byte("some bytes"), []byte(strings.Repeat("x", 300))}[r.IntN(5)]
}

func drawFloats(r *rand.Rand) []float64 {
	return [][]float64{nil, {}, {1.5}, {-1, math.Inf(1), 7}}[r.IntN(4)]
}

func drawCount(r *rand.Rand) int { return r.IntN(100) - 50 }

var shapes = []shape{
	gathered("string-int", drawText, drawCount),
	gathered("city-struct", func(r *rand.Rand) city { return city(drawText(r)) }, drawEntry),
	gathered("int-string", drawInt[int], drawText),
	gathered("int8-bytes", drawInt[int8], drawBytes),
	gathered("int16-floats", drawInt[int16], drawFloats),
	gathered("int32-int", drawInt[int32], drawCount),
	gathered("int64-pointer", drawInt[int64], func(r *rand.Rand) *int { return []*int{nil, new(int)}[r.IntN(2)] }),
	gathered("uint-any", drawInt[uint], func(r *rand.Rand) any { return []any{nil, "x", true}[r.IntN(3)] }),
	gathered("uint8-empty", drawInt[uint8], func(*rand.Rand) struct{} { return struct{}{} }),
	gathered("uint16-int", drawInt[uint16], drawCount),
	gathered("uint32-map", drawInt[uint32], func(r *rand.Rand) map[string]int {
		return []map[string]int{nil, {}, {"a": 1}, {"b": 2, "": r.IntN(3)}}[r.IntN(4)]
	}),
	gathered("uint64-int", drawInt[uint64], drawCount),
	gathered("year-int", drawInt[year], drawCount),
	gathered("float64-int", drawFloat, drawCount),
	gathered("float32-text", func(r *rand.Rand) float32 { return float32(drawFloat(r)) }, drawText),
	gathered("heat-bytes", func(r *rand.Rand) heat { return heat(drawFloat(r)) }, drawBytes),
	folded("sum", drawText, drawCount, func(a, b int) int { return a + b }),
	folded("text", drawInt[int64], drawText, func(a, b string) string { return a + b }),
	folded("bytes", drawFloat, drawBytes, func(a, b []byte) []byte { return append(append([]byte{}, a...), b...) }),
	folded("struct", drawText, drawEntry, func(a, b entry) entry {
		return entry{N: max(a.N, b.N), Name: a.Name, Tags: append(append([]string{}, a.Tags...), b.Tags...)}
	}),
	folded("floats", drawInt[uint8], drawFloats, func(a, b []float64) []float64 {
		if a = append(a, b...); a == nil {
			a = []float64{}
		}
		return a
	}),
}

// TestByKey: the result is that of a stable sort in memory, for every key and value, however the records are cut into
// inputs, and for all backends, workers, partitions and buffers.
func TestByKey(t *testing.T) {
	t.Parallel()
	backends := []*mapper.Executor{open(t, "inproc://?workers=3"), open(t, "local://?workers=2&cpus=2")}
	for _, s := range shapes {
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 10))
			o := mapper.Options{
				Partitions: []int{0, 1, 2, 7, 40}[r.IntN(5)], Concurrency: r.IntN(3),
				Buffer: []int{0, 3 << 10, 12 << 10, 60 << 10}[r.IntN(4)], BatchSize: r.IntN(4),
			}
			for i, ex := range backends {
				t.Run(fmt.Sprint(s.name, "/", seed, "/", i), func(t *testing.T) { s.check(t, ex.With(o), seed) })
			}
		}
	}
}
