package serialize_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gowren/gowren/serialize"
)

func addSeeds(f *testing.F) {
	e := filled()
	for _, x := range []any{1, -1, "abc", 1.5, []float64{1}, [][]int{{1}, nil}, map[string][]int{"a": {1}}, &node{1, &node{2, nil}}, multi{"a", 1}, &e, []any{uint8(1), 1i}} {
		b, err := serialize.Marshal(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{"", "\xc1", "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xc9\xff\xff\xff\xffd", "\xc7\x01\x65\x0d", "\xd4\x67\x01", "\x91\x91\x91\x91"} {
		f.Add([]byte(s))
	}
}

// FuzzUnmarshal decodes anything into several types. What decodes must encode, and from then on stay as it is.
func FuzzUnmarshal(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range []any{
			new(any), new(everything), new([]float64), new(map[string][]int), new(*node), new(tree), new([]multi), new(map[any]any), new([]uint8), new(complex64), new(derived),
		} {
			if serialize.Unmarshal(data, p) != nil {
				continue
			}
			once, err := serialize.Marshal(p)
			if err != nil {
				continue // such as a map with two keys that are not numbers
			}
			again := reflect.New(reflect.TypeOf(p).Elem()).Interface()
			if err := serialize.Unmarshal(once, again); err != nil {
				t.Fatalf("%T: %x became %x: %v", p, data, once, err)
			}
			if twice, err := serialize.Marshal(again); err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%T: %x became %x, then %x: %v", p, data, once, twice, err)
			}
		}
	})
}

func FuzzDecompress(f *testing.F) {
	f.Add(serialize.Compress(nil, []byte("hello hello hello")), 100)
	f.Add(serialize.Compress(nil, make([]byte, 1<<16)), 1000)
	f.Add([]byte{}, 0)
	f.Add([]byte("\x28\xb5\x2f\xfd"), 10)
	f.Fuzz(func(t *testing.T, data []byte, limit int) {
		limit %= 1 << 20
		out, err := serialize.Decompress([]byte("kept"), data, limit)
		if !bytes.HasPrefix(out, []byte("kept")) || err != nil && len(out) != 4 || len(out)-4 > max(limit, 0) {
			t.Fatalf("%d bytes with a limit of %d: %v", len(out)-4, limit, err)
		}
		packed := serialize.Compress(nil, data)
		if back, err := serialize.Decompress(nil, packed, len(data)); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%x came back as %x: %v", data, back, err)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(1, int64(-1), uint16(3), 1.5, float32(2), "s", []byte("b"), true)
	f.Fuzz(func(t *testing.T, i int, i64 int64, u16 uint16, f64 float64, f32 float32, s string, b []byte, ok bool) {
		floats := make([]float64, len(b)%9)
		for n := range floats {
			floats[n] = f64
		}
		x := everything{
			Bool: ok, I: i, I64: i64, U16: u16, F32: f32, F64: f64, S: s, B: b, F64s: floats, V: vector{f64}, Cs: []celsius{celsius(f32)}, Strs: []string{s, ""},
			M: map[string]float64{s: f64, "": 1}, MI: map[int]string{i: s}, MA: map[string]any{s: i64, "x": []any{i, u16, f32, b, floats}}, Any: i,
			C64: complex(f32, 1), Multi: multi{s, i}, P: &point{i, 1}, Next: &everything{I: i},
		}
		for n := range floats {
			x.Grid = append(x.Grid, make([]float32, n))
		}
		same("x", x)(t)
	})
}
