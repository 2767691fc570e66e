package serialize

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// number is any number of the wire. Its form is formInt, formUint, formFloat32, formFloat64, or formExt for a complex
// one. A float32 is kept as its bits, for a conversion may change a NaN.
type number struct {
	form form
	bits uint64
	c    complex128
}

// numberOf returns a scalar token as a number.
func numberOf(t token) (number, bool) {
	switch t.form {
	case formInt, formUint, formFloat32, formFloat64:
		return number{form: t.form, bits: t.bits}, true
	}
	return number{}, false
}

// load reads the i-th element of an extension's payload.
func (e element) load(payload []byte, i int) number {
	b := payload[i*e.size():]
	le := binary.LittleEndian
	switch e {
	case elemInt8:
		return number{form: formInt, bits: uint64(int64(int8(b[0])))}
	case elemInt16:
		return number{form: formInt, bits: uint64(int64(int16(le.Uint16(b))))}
	case elemInt32:
		return number{form: formInt, bits: uint64(int64(int32(le.Uint32(b))))}
	case elemInt64, elemInt:
		return number{form: formInt, bits: le.Uint64(b)}
	case elemUint8:
		return number{form: formUint, bits: uint64(b[0])}
	case elemUint16:
		return number{form: formUint, bits: uint64(le.Uint16(b))}
	case elemUint32:
		return number{form: formUint, bits: uint64(le.Uint32(b))}
	case elemUint64, elemUint:
		return number{form: formUint, bits: le.Uint64(b)}
	case elemFloat32:
		return number{form: formFloat32, bits: uint64(le.Uint32(b))}
	case elemFloat64:
		return number{form: formFloat64, bits: le.Uint64(b)}
	case elemComplex64:
		re, im := math.Float32frombits(le.Uint32(b)), math.Float32frombits(le.Uint32(b[4:]))
		return number{form: formExt, c: complex(float64(re), float64(im))}
	default:
		return number{form: formExt, c: complex(math.Float64frombits(le.Uint64(b)), math.Float64frombits(le.Uint64(b[8:])))}
	}
}

func (n number) String() string {
	switch n.form {
	case formInt:
		return fmt.Sprint(int64(n.bits))
	case formUint:
		return fmt.Sprint(n.bits)
	case formFloat32, formFloat64:
		return fmt.Sprint(n.float())
	}
	return fmt.Sprint(n.c)
}

func (n number) float() float64 {
	if n.form == formFloat32 {
		return float64(math.Float32frombits(uint32(n.bits)))
	}
	return math.Float64frombits(n.bits)
}

// store sets v to n, or fails where v's type cannot hold exactly n. An integer goes into a float where it fits; a float
// never goes into an integer.
func (n number) store(v reflect.Value) error {
	ok := false
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i := int64(n.bits)
		if n.form == formInt || n.form == formUint && i >= 0 {
			if ok = !v.OverflowInt(i); ok {
				v.SetInt(i)
			}
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n.form == formUint || n.form == formInt && int64(n.bits) >= 0 {
			if ok = !v.OverflowUint(n.bits); ok {
				v.SetUint(n.bits)
			}
		}
	case reflect.Float32:
		var bits uint32
		if bits, ok = n.float32(); ok {
			*(*uint32)(v.Addr().UnsafePointer()) = bits
		}
	case reflect.Float64:
		var bits uint64
		if bits, ok = n.float64(); ok {
			*(*uint64)(v.Addr().UnsafePointer()) = bits
		}
	case reflect.Complex64, reflect.Complex128:
		ok = n.storeComplex(v)
	}
	if !ok {
		return fmt.Errorf("%v does not fit in %s", n, v.Type())
	}
	return nil
}

func (n number) float32() (uint32, bool) {
	if n.form == formFloat32 {
		return uint32(n.bits), true
	}
	wide, ok := n.float64()
	f := math.Float64frombits(wide)
	return math.Float32bits(float32(f)), ok && (float64(float32(f)) == f || f != f)
}

func (n number) float64() (uint64, bool) {
	switch n.form {
	case formFloat64:
		return n.bits, true
	case formFloat32:
		return math.Float64bits(n.float()), true
	case formInt:
		f := float64(int64(n.bits))
		return math.Float64bits(f), f < 1<<63 && int64(f) == int64(n.bits)
	case formUint:
		f := float64(n.bits)
		return math.Float64bits(f), f < 1<<64 && uint64(f) == n.bits
	}
	return 0, false
}

func (n number) storeComplex(v reflect.Value) bool {
	c := n.c
	if n.form != formExt {
		bits, ok := n.float64()
		if !ok {
			return false
		}
		c = complex(math.Float64frombits(bits), 0)
	}
	if v.Kind() == reflect.Complex64 {
		narrow := complex128(complex64(c))
		if !sameFloat(real(narrow), real(c)) || !sameFloat(imag(narrow), imag(c)) {
			return false
		}
	}
	v.SetComplex(c)
	return true
}

func sameFloat(a, b float64) bool { return a == b || a != a && b != b }

// scalarMemory views the memory of a number, for the kinds that elements describes. On 32-bit machines an int is widened.
func scalarMemory(v reflect.Value, e element) []byte {
	if !e.isRaw() {
		wide := uint64(0)
		if e == elemInt {
			wide = uint64(v.Int())
		} else {
			wide = v.Uint()
		}
		return bytesOf([]uint64{wide})
	}
	return unsafe.Slice((*byte)(v.Addr().UnsafePointer()), e.size())
}
