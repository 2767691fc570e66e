package serialize

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"runtime"
	"testing"
)

func fastValues() []any {
	ptr := func(x any) any {
		p := reflect.New(reflect.TypeOf(x))
		p.Elem().Set(reflect.ValueOf(x))
		return p.Interface()
	}
	var all []any
	for _, x := range []any{
		0, -1, 127, 128, math.MaxInt, math.MinInt, int64(0), int64(math.MinInt64), uint64(0), uint64(math.MaxUint64), 0.0, math.NaN(), math.Inf(-1),
		true, false, "", "x", string(make([]byte, 100)), []byte(nil), []byte{}, []byte{1, 2}, make([]byte, 70000),
		[]int8{-1}, []int16{-1, 2}, []int32{-1}, []int64{-1}, []int{-1, 1}, []uint16{1}, []uint32{1}, []uint64{1}, []uint{1},
		[]float32{1, float32(math.NaN())}, []float64{1, math.NaN()}, []complex64{1i}, []complex128{1i}, []float64(nil), []float64{}, make([]float64, 10000),
	} {
		all = append(all, ptr(x))
	}
	return all
}

// TestFastIsGeneral holds the way without reflection to the bytes and values of the general one.
func TestFastIsGeneral(t *testing.T) {
	var c Coder
	for _, p := range fastValues() {
		name := reflect.TypeOf(p).Elem().String()
		want, err := c.append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Append(nil, p)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n got %x\nwant %x", name, err, got, want)
		}
		fast, slow := reflect.New(reflect.TypeOf(p).Elem()), reflect.New(reflect.TypeOf(p).Elem())
		if err := c.Decode(want, fast.Interface()); err != nil {
			t.Fatal(err)
		}
		if err := c.decode(want, slow.Interface()); err != nil {
			t.Fatal(err)
		}
		for _, v := range []reflect.Value{fast, slow} {
			again, err := c.append(nil, v.Interface())
			if err != nil || !bytes.Equal(again, want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestDecodeCopies is that nothing decoded changes with the data, nor with what was there before.
func TestDecodeCopies(t *testing.T) {
	for _, p := range append(fastValues(), &[]any{"abc", []byte("abc"), []float64{1}}, &map[string]string{"abc": "def"}) {
		data, err := Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Clone(data)
		old := reflect.New(reflect.TypeOf(p).Elem())
		old.Elem().Set(reflect.ValueOf(p).Elem())
		if err := Unmarshal(data, p); err != nil {
			t.Fatal(err)
		}
		clear(data)
		if got, _ := Marshal(p); !bytes.Equal(got, want) {
			t.Errorf("%T shares memory with its data", p)
		}
		if v := reflect.ValueOf(p).Elem(); v.Kind() == reflect.Slice && v.Len() > 0 && v.UnsafePointer() == old.Elem().UnsafePointer() {
			t.Errorf("%T shares memory with what was there", p)
		}
	}
}

// TestByteOrder takes the way of a big-endian machine.
func TestByteOrder(t *testing.T) {
	native := bytesOf([]uint32{0x01020304, 0x05060708})
	swapped := appendRaw([]byte("x"), native, 4, false)
	for i := range 2 {
		if a, b := binary.LittleEndian.Uint32(native[4*i:]), binary.BigEndian.Uint32(swapped[1+4*i:]); a != b {
			t.Errorf("%x is not %x", a, b)
		}
	}
	for e := elemInt8; e.valid(); e++ {
		memory := make([]byte, 4*e.size())
		for i := range memory {
			memory[i] = byte(i)
		}
		once := appendRaw(nil, memory, e.word(), false)
		if e.word() > 1 && bytes.Equal(once, memory) {
			t.Errorf("%s: not swapped", e.name())
		}
		if twice := appendRaw(nil, once, e.word(), false); !bytes.Equal(twice, memory) {
			t.Errorf("%s: %x", e.name(), twice)
		}
	}
	if !bytes.Equal(appendRaw(nil, bytesOf([]complex64{complex(1, 2)}), 4, false), append(appendRaw(nil, bytesOf([]float32{1}), 4, false), appendRaw(nil, bytesOf([]float32{2}), 4, false)...)) {
		t.Error("the parts of a complex number changed places")
	}
}

func TestAllocations(t *testing.T) {
	c, n, f := NewCoder(), 12345, 1.5
	buf := make([]byte, 0, 64)
	for name, run := range map[string]func(){
		"int":     func() { b, _ := c.Append(buf, &n); _ = c.Decode(b, &n) },
		"float64": func() { b, _ := c.Append(buf, &f); _ = c.Decode(b, &f) },
	} {
		if got := testing.AllocsPerRun(100, run); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// TestMemory is that a short input cannot make a decoder take much memory by claiming lengths.
func TestMemory(t *testing.T) {
	for _, data := range []string{
		"\xdd\x7f\xff\xff\xff", "\xdf\x7f\xff\xff\xff", "\x91\xdd\x00\xff\xff\xff\x01", "\xc9\x7f\xff\xff\xffd\x0c", "\x81\xa1a\xdd\x00\x0f\xff\xff",
	} {
		for _, p := range []any{new(any), new([]string), new([]float64), new(map[string][]int), new([][]float64), new(map[int]string), new(map[string]any)} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := Unmarshal([]byte(data), p); err == nil {
				t.Errorf("%x decoded into %T", data, p)
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 1<<16 {
				t.Errorf("%x into %T took %d bytes", data, p, took)
			}
		}
	}
}
