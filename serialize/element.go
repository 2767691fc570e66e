package serialize

import "reflect"

// The ids of the extensions that this package writes. They are part of the format and never change meaning. msgpack's own
// are negative, and other libraries mostly take ids from 0 up.
const (
	extTime   int8 = -1  // msgpack's timestamp: a time in UTC
	extSlice  int8 = 100 // an element kind, then elements, little-endian and side by side
	extScalar int8 = 101 // an element kind, then one element
	extZoned  int8 = 102 // a time with an offset from UTC
	extMulti  int8 = 103 // what an EncodeMsgpack method wrote, where that is not exactly one value
)

// element is the kind of a numeric slice's elements, as the first byte of an extension tells it.
type element uint8

const (
	elemInt8 element = 1 + iota
	elemInt16
	elemInt32
	elemInt64
	elemInt
	elemUint8
	elemUint16
	elemUint32
	elemUint64
	elemUint
	elemFloat32
	elemFloat64
	elemComplex64
	elemComplex128
)

// elements describes each element kind: bytes an element takes on the wire, bytes that swap together on a big-endian
// machine, and the Go type. An int takes 64 bits on the wire whatever the machine.
var elements = [...]struct {
	size, word int
	typ        reflect.Type
}{
	elemInt8:       {1, 1, reflect.TypeFor[int8]()},
	elemInt16:      {2, 2, reflect.TypeFor[int16]()},
	elemInt32:      {4, 4, reflect.TypeFor[int32]()},
	elemInt64:      {8, 8, reflect.TypeFor[int64]()},
	elemInt:        {8, 8, reflect.TypeFor[int]()},
	elemUint8:      {1, 1, reflect.TypeFor[uint8]()},
	elemUint16:     {2, 2, reflect.TypeFor[uint16]()},
	elemUint32:     {4, 4, reflect.TypeFor[uint32]()},
	elemUint64:     {8, 8, reflect.TypeFor[uint64]()},
	elemUint:       {8, 8, reflect.TypeFor[uint]()},
	elemFloat32:    {4, 4, reflect.TypeFor[float32]()},
	elemFloat64:    {8, 8, reflect.TypeFor[float64]()},
	elemComplex64:  {8, 4, reflect.TypeFor[complex64]()},
	elemComplex128: {16, 8, reflect.TypeFor[complex128]()},
}

func (e element) valid() bool  { return e >= elemInt8 && e <= elemComplex128 }
func (e element) size() int    { return elements[e].size }
func (e element) word() int    { return elements[e].word }
func (e element) name() string { return elements[e].typ.String() }

// elementOf returns the element kind that k takes, or 0 where k is not numeric.
func elementOf(k reflect.Kind) element {
	for e := elemInt8; e <= elemComplex128; e++ {
		if elements[e].typ.Kind() == k {
			return e
		}
	}
	return 0
}
