package serialize_test

import (
	"errors"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/serialize"
)

// sent returns what arrives where x is sent, and checks that a second encoding has the same bytes, and so has that of what
// arrived.
func sent[T any](t *testing.T, x T) T {
	t.Helper()
	data, err := serialize.Marshal(&x)
	if err != nil {
		t.Fatal(err)
	}
	var got T
	if err := serialize.Unmarshal(data, &got); err != nil {
		t.Fatalf("%v (%x)", err, data)
	}
	again, err := serialize.Marshal(&got)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != string(again) {
		t.Fatalf("bytes differ:\n%x\n%x", data, again)
	}
	if k := reflect.TypeFor[T]().Kind(); k == reflect.Pointer || k == reflect.Interface {
		return got
	}
	byValue, err := serialize.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != string(byValue) {
		t.Fatalf("x and &x differ:\n%x\n%x", data, byValue)
	}
	return got
}

var exact = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b *big.Int) bool { return (a == nil) == (b == nil) && (a == nil || a.Cmp(b) == 0) }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
	cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }),
}

func same[T any](name string, x T) func(*testing.T) {
	return func(t *testing.T) {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(x, sent(t, x), exact); diff != "" {
				t.Errorf("(-sent +arrived)\n%s", diff)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	one, inner := 1, &point{1, 2}
	quietNaN, payloadNaN := math.NaN(), math.Float64frombits(0x7ff0dead0000beef)
	for _, run := range []func(*testing.T){
		same("int", -7), same("int max", math.MaxInt), same("int min", math.MinInt),
		same("int64 extremes", []int64{math.MinInt64, math.MaxInt64}), same("int64", int64(math.MinInt64)),
		same("uint64", uint64(math.MaxUint64)), same("uint", uint(math.MaxUint64)),
		same("int8", int8(-128)), same("uint16", uint16(65535)), same("int32", int32(-1<<31)),
		same("bool", true), same("string", "a\xffb"), same("long string", string(make([]byte, 70000))),
		same("float64 bits", [...]float64{quietNaN, payloadNaN, math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5e-324}),
		same("float32 bits", [...]float32{float32(math.NaN()), math.Float32frombits(0x7f80beef), float32(math.Copysign(0, -1))}),
		same("float32 signalling", math.Float32frombits(0x7f80beef)),
		same("float slice bits", []float64{quietNaN, payloadNaN, math.Copysign(0, -1)}),
		same("complex64", complex64(1-2i)), same("complex128", complex(math.Inf(1), -0.5)),
		same("named numbers", []celsius{1, 2}), same("named slice", vector{1, 2}), same("half a text pair", color(3)), same("named map", words{"a": 1}),
		same("nil []float64", []float64(nil)), same("empty []float64", []float64{}),
		same("nil []string", []string(nil)), same("empty []string", []string{}), same("[]string", []string{"", "x"}),
		same("nil []byte", []byte(nil)), same("empty []byte", []byte{}), same("[][]byte", [][]byte{nil, {}, {1}}),
		same("nil []struct", []point(nil)), same("empty []struct", []point{}), same("[]struct", []point{{1, 2}}),
		same("nil map", map[string]string(nil)), same("empty map", map[string]string{}),
		same("nil map any", map[string]any(nil)), same("empty map any", map[string]any{}),
		same("nil map int", map[string]int(nil)), same("empty map int", map[string]int{}),
		same("map[int][]string", map[int][]string{1: nil, -2: {}, 3: {"x"}}),
		same("map struct key", map[point]string{{1, 2}: "a", {2, 1}: "b"}), same("map array key", map[[2]int]bool{{1, 2}: true, {0, 0}: false}),
		same("map float key", map[float64]int{-0.5: 1, math.Inf(1): 2}), same("map bool key", map[bool]int{true: 1, false: 0}),
		same("map addr key", map[netip.Addr]int{netip.MustParseAddr("1.2.3.4"): 1}), same("map any key", map[any]int{1: 1, int8(1): 2, "x": 3, nil: 4, true: 5}),
		same("map uint8 key", map[uint8]int{3: 1, 200: 2}), same("map of maps", map[string]map[string]int{"a": {"b": 1}, "c": nil}),
		same("nil pointer", (*point)(nil)), same("pointer", inner), same("pointer to int", &one), same("slice of pointers", []*point{nil, inner}),
		same("pointer to pointer", &inner), same("nil pointer pointer", (**point)(nil)),
		same("array of slices", [2][]float64{nil, {}}), same("empty struct", struct{}{}), same("[]struct{}", []struct{}{{}, {}}), same("empty array", [0]int{}),
		same("ragged", [][]float64{nil, {}, {1}, {1, 2}}), same("three levels", [][][]int{{{1}, nil}, nil, {}}), same("named inner", []vector{nil, {}, {1}}),
		same("list", &node{1, &node{2, nil}}), same("tree", tree{"a": {"b": nil, "c": {}}}), same("generic", pair[string, []int]{"k", []int{1}}),
		same("embedded", derived{base{"1", "k"}, &Public{3}, "n"}), same("embedded nil", derived{base{"1", "k"}, nil, "n"}),
		same("embedded omitempty", struct{ *Extra }{&Extra{}}), same("shadowing", shadowing{Base{"inner"}, 3}),
		same("embedded struct{}", struct{ *Empty }{&Empty{}}),
		same("tags", tagged{Renamed: "x"}), same("as array", asArray{A: 1, B: "b", C: []float64{1}}),
		same("time", time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)), same("zero time", time.Time{}), same("old time", time.Date(1200, 1, 1, 0, 0, 0, 1, time.UTC)),
		same("far time", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)), same("duration", 3*time.Second),
		same("multi", multi{"a", 1}), same("[]multi", []multi{{"a", 1}, {"b", 2}}), same("*multi", &multi{"a", 1}), same("map of multi", map[string]multi{"x": {"a", 1}}),
		same("value coder", valueCoder{[]float64{1, 2}}), same("any of nothing", []any{nil}), same("marshaler", []marshaler{{1}, {2}}),
		same("binary", map[string]binaryType{"x": {"y"}, "": {""}}), same("text", textType{"t"}), same("text keys", map[textType]int{{"a"}: 1, {""}: 2}),
		same("big", big.NewInt(-123)), same("big value", struct{ B big.Int }{*big.NewInt(5)}), same("nil big", (*big.Int)(nil)),
		same("big omitempty", struct {
			B big.Int `msgpack:",omitempty"`
		}{*big.NewInt(5)}),
		same("addr", netip.MustParseAddr("fe80::1%eth0")), same("no addr", netip.Addr{}), same("url", url.URL{Scheme: "s3", Host: "b", Path: "/k"}),
		same("everything", filled()), same("nothing", everything{}),
		same("omitempty -0", struct {
			F float64 `msgpack:",omitempty"`
		}{math.Copysign(0, -1)}),
	} {
		run(t)
	}
}

type Empty struct{}

func TestInterfaces(t *testing.T) {
	for _, x := range []any{
		nil, 1, -200, 200, math.MaxInt, int8(1), int16(-1), int32(7), int64(9), uint8(1), uint16(2), uint32(3), uint64(4), uint(5), float32(1.5), 2.5,
		complex64(1i), 2i, "s", []byte{1}, []byte{}, true, []float64{1}, []int8{-1}, []uint64{}, []complex64{1i}, []any{1, "a", nil},
		map[string]any{"a": map[string]any{}, "b": []int{1}}, map[any]any{1: "x", "y": 2, int8(1): uint8(3)},
		time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got := sent(t, x); !reflect.DeepEqual(got, x) {
			t.Errorf("%T(%v) came back as %T(%v)", x, x, got, got)
		}
	}
	three := int16(3)
	for _, c := range []struct{ x, want any }{
		{point{1, 2}, map[string]any{"X": 1, "Y": 2}}, {&three, three}, {[]string{"a"}, []any{"a"}}, {vector{1}, []float64{1}}, {[][]float64{{1}}, []any{[]float64{1}}},
		{map[string]int{"a": 1}, map[string]any{"a": 1}}, {map[int]int{1: 2}, map[any]any{1: 2}}, {time.Second, int64(time.Second)}, {(*point)(nil), nil}, {[]float64(nil), nil},
		{map[netip.Addr]int{netip.MustParseAddr("1.2.3.4"): 1}, nil},
	} {
		var got any
		data, err := serialize.Marshal(&c.x)
		if err != nil {
			t.Fatal(err)
		}
		if err := serialize.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if c.want != nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T(%v) came back as %T(%v), want %T", c.x, c.x, got, got, c.want)
		}
	}
	if got := sent(t, errors.New("gone")); got.Error() != "gone" {
		t.Errorf("error came back as %v", got)
	}
}

func TestTime(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	x := time.Date(2026, 1, 1, 0, 30, 0, 5, berlin)
	got := sent(t, x)
	if !got.Equal(x) || got.String() != x.String() {
		t.Errorf("%v came back as %v", x, got)
	}
	now := time.Now()
	got = sent(t, now)
	if !got.Equal(now) || got.Format(time.RFC3339Nano) != now.Format(time.RFC3339Nano) {
		t.Errorf("%v came back as %v", now, got)
	}
}
