package serialize_test

import (
	"bytes"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gowren/gowren/serialize"
)

// TestSameAsMsgpack holds what has no slices of numbers in it to the bytes of msgpack itself.
func TestSameAsMsgpack(t *testing.T) {
	now := time.Unix(1700000000, 12345).UTC()
	for _, x := range []any{
		1, -1, 127, 128, 255, 256, 65536, 1 << 40, -32, -33, -129, -40000, -1 << 40, int8(1), int16(2), int32(3), int64(4),
		uint(300), uint8(1), uint16(2), uint32(3), uint64(4), float32(1), 2.5, true, false, "x", string(make([]byte, 40)), string(make([]byte, 300)),
		string(make([]byte, 70000)), []byte{1}, make([]byte, 300), []string{"a"}, make([]string, 20), make([]string, 70000), [2]int{1, 2},
		map[string]string{"a": "b", "c": "d"}, map[string]bool{"a": true, "b": false}, map[string]any{"a": 1, "b": []any{"x", nil}}, map[int]string{1: "a"},
		point{1, 2}, node{1, &node{2, nil}}, tagged{Renamed: "x", Empty: "y"}, pair[string, bool]{"k", true}, derived{base{"1", "k"}, &Public{2}, "n"},
		struct {
			_msgpack struct{} `msgpack:",as_array"`
			A, B     int
		}{A: 1, B: 2},
		time.Duration(5), now, time.Unix(1, 0).UTC(), time.Time{}, valueCoder{}, marshaler{3}, textType{"t"}, big.NewInt(99),
		struct{ B *binaryType }{&binaryType{"z"}}, map[string]*point{"p": nil},
	} {
		var want bytes.Buffer
		if err := msgpack.NewEncoder(&want).SetSortMapKeys(true).Encode(x); err != nil {
			t.Fatal(err)
		}
		got, err := serialize.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%T(%.40v):\n got %.80x\nwant %.80x", x, x, got, want.Bytes())
		}
	}
}

func numericSlices() []any {
	return []any{
		[]int8{-1, 2}, []int16{-1, 300}, []int32{-1, 1 << 20}, []int64{-1, 1 << 40}, []int{-1, 1 << 40}, []uint16{1, 300}, []uint32{1, 1 << 20},
		[]uint64{1, 1 << 40}, []uint{1, 1 << 40}, []float32{1, -2.5}, []float64{1, -2.5}, []complex64{1 - 2i}, []complex128{1 - 2i}, vector{1}, []celsius{1},
	}
}

// TestMsgpackUnchanged is that the program's own use of msgpack is not touched by ours.
func TestMsgpackUnchanged(t *testing.T) {
	for _, x := range numericSlices() {
		if _, err := serialize.Marshal(x); err != nil {
			t.Fatal(err)
		}
		got, err := msgpack.Marshal(x)
		if k := reflect.TypeOf(x).Elem().Kind(); k == reflect.Complex64 || k == reflect.Complex128 {
			if err == nil {
				t.Errorf("%T: msgpack now takes it", x)
			}
			continue
		}
		if err != nil || got[0] != 0x90|byte(reflect.ValueOf(x).Len()) {
			t.Errorf("%T: %x, %v", x, got, err)
		}
	}
	var into any
	if err := msgpack.Unmarshal([]byte{0xd4, 100, 12}, &into); err == nil {
		t.Error("msgpack decodes our extension")
	}
}

// TestPlainArrays is that numbers which another encoder wrote are read.
func TestPlainArrays(t *testing.T) {
	for _, x := range numericSlices() {
		data, err := msgpack.Marshal(x)
		if err != nil {
			continue
		}
		got := reflect.New(reflect.TypeOf(x))
		if err := serialize.Unmarshal(data, got.Interface()); err != nil {
			t.Errorf("%T: %v", x, err)
		} else if !reflect.DeepEqual(got.Elem().Interface(), x) {
			t.Errorf("%v came back as %v", x, got.Elem())
		}
	}
	var b []byte
	if err := serialize.Unmarshal([]byte("\x92\x01\xcc\xff"), &b); err != nil || !bytes.Equal(b, []byte{1, 255}) {
		t.Errorf("%v, %v", b, err)
	}
}

// TestConversions is that numbers go from one slice type into another where they fit exactly.
func TestConversions(t *testing.T) {
	for _, from := range numericSlices() {
		data, err := serialize.Marshal(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range numericSlices() {
			got := reflect.New(reflect.TypeOf(to)).Elem()
			if err := serialize.Unmarshal(data, got.Addr().Interface()); err != nil {
				continue
			}
			back := reflect.New(reflect.TypeOf(from)).Elem()
			again, err := serialize.Marshal(got.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if err := serialize.Unmarshal(again, back.Addr().Interface()); err != nil {
				// A wider kind, such as a float, never goes back into a narrower one.
				if kindRank(from) >= kindRank(to) {
					t.Errorf("%T by %T: %v", from, to, err)
				}
			} else if !reflect.DeepEqual(back.Interface(), from) {
				t.Errorf("%v by %T came back as %v", from, to, back)
			}
		}
	}
}

// kindRank is 0 for slices of integers, 1 for floats, 2 for complex numbers.
func kindRank(x any) int {
	switch k := reflect.TypeOf(x).Elem().Kind(); {
	case k >= reflect.Complex64:
		return 2
	case k >= reflect.Float32:
		return 1
	}
	return 0
}

func TestDecodeIgnoresUnknownFields(t *testing.T) {
	data, err := serialize.Marshal(map[string]any{"X": 1, "Z": map[string]any{"deep": []int{1}}, "Y": 2})
	if err != nil {
		t.Fatal(err)
	}
	var p point
	if err := serialize.Unmarshal(data, &p); err != nil || p != (point{1, 2}) {
		t.Errorf("%v, %v", p, err)
	}
	var one struct {
		X int `msgpack:"old,alias:X"`
	}
	if err := serialize.Unmarshal(data, &one); err != nil || one.X != 1 {
		t.Errorf("alias: %v, %v", one, err)
	}
}

func TestNilIsZero(t *testing.T) {
	e := filled()
	if err := serialize.Unmarshal([]byte{0xc0}, &e); err != nil || !reflect.DeepEqual(e, everything{}) {
		t.Errorf("%v, %v", e, err)
	}
}
