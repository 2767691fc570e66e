package serialize_test

import (
	"math/big"
	"net/netip"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// The types that the tests send.

type (
	vector  []float64
	celsius float32
	color   int
	words   map[string]int

	point struct{ X, Y int }

	node struct {
		Value int
		Next  *node
	}

	tree map[string]tree

	pair[K comparable, V any] struct {
		Key   K
		Value V
	}

	base  struct{ ID, Kind string }
	extra struct {
		Note string `msgpack:",omitempty"`
		N    int
	}
	Extra = extra

	derived struct {
		base
		*Public
		Name string
	}
	Public struct{ P int }

	shadowing struct {
		Base
		ID int
	}
	Base struct{ ID string }

	tagged struct {
		Renamed string            `msgpack:"r"`
		Empty   string            `msgpack:"e,omitempty"`
		Map     map[string]string `msgpack:",omitempty"`
		Skipped int               `msgpack:"-"`
		hidden  int               //nolint:unused // it is there to be left out
	}

	asArray struct {
		_msgpack struct{} `msgpack:",as_array"`
		A        int
		B        string
		C        []float64
	}
)

// String makes color a fmt.Stringer; MarshalText has no counterpart, so it must not be used.
func (c color) MarshalText() ([]byte, error) { return []byte("some colour"), nil }

// multi writes two values, as msgpack's documentation shows.
type multi struct {
	s string
	n int
}

func (m *multi) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeMulti(m.s, m.n) }
func (m *multi) DecodeMsgpack(d *msgpack.Decoder) error { return d.DecodeMulti(&m.s, &m.n) }

// valueCoder writes one value, with a value receiver, through maps and slices of msgpack's.
type valueCoder struct{ f []float64 }

func (m valueCoder) EncodeMsgpack(e *msgpack.Encoder) error  { return e.Encode(m.f) }
func (m *valueCoder) DecodeMsgpack(d *msgpack.Decoder) error { return d.Decode(&m.f) }

// marshaler has the other pair of msgpack's methods.
type marshaler struct{ n int }

func (m marshaler) MarshalMsgpack() ([]byte, error) { return msgpack.Marshal(m.n) }
func (m *marshaler) UnmarshalMsgpack(b []byte) error {
	return msgpack.Unmarshal(b, &m.n)
}

type binaryType struct{ s string }

func (b *binaryType) MarshalBinary() ([]byte, error)    { return []byte(b.s), nil }
func (b *binaryType) UnmarshalBinary(data []byte) error { b.s = string(data); return nil }

type textType struct{ s string }

func (t textType) MarshalText() ([]byte, error)     { return []byte(t.s), nil }
func (t *textType) UnmarshalText(data []byte) error { t.s = string(data); return nil }

type everything struct {
	Bool   bool
	I      int
	I8     int8
	I16    int16
	I32    int32
	I64    int64
	U      uint
	U8     uint8
	U16    uint16
	U32    uint32
	U64    uint64
	F32    float32
	F64    float64
	C64    complex64
	C128   complex128
	S      string
	B      []byte
	A      [3]int16
	AB     [4]byte
	F64s   []float64
	V      vector
	Cs     []celsius
	I8s    []int8
	Grid   [][]float32
	Strs   []string
	Blobs  [][]byte
	Points []point
	M      map[string]float64
	MI     map[int]string
	MP     map[point][]int
	MA     map[string]any
	P      *point
	PI     *int
	Any    any
	T      time.Time
	D      time.Duration
	Big    *big.Int
	Addr   netip.Addr
	Multi  multi
	Next   *everything
}

func filled() everything {
	i := 7
	return everything{
		Bool: true, I: -5, I8: -8, I16: -300, I32: 1 << 20, I64: -1 << 40, U: 1 << 50, U8: 200, U16: 60000, U32: 1 << 31, U64: 1<<64 - 1,
		F32: 1.5, F64: -2.25, C64: 1 + 2i, C128: 3 - 4i, S: "héllo", B: []byte{0, 1}, A: [3]int16{1, -2, 3}, AB: [4]byte{1, 2, 3, 4},
		F64s: []float64{1, 2}, V: vector{3}, Cs: []celsius{20.5}, I8s: []int8{-1, 1}, Grid: [][]float32{{1}, nil, {}},
		Strs: []string{"a", ""}, Blobs: [][]byte{nil, {}, {9}}, Points: []point{{1, 2}},
		M: map[string]float64{"a": 1, "b": 2}, MI: map[int]string{-1: "x", 1: "y"}, MP: map[point][]int{{1, 2}: {3}, {0, 0}: nil},
		MA: map[string]any{"n": 1, "f": 2.5, "v": []float64{1}, "u": uint8(3)}, P: &point{3, 4}, PI: &i, Any: []any{"x", int64(3), nil},
		T: time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC), D: time.Minute, Big: big.NewInt(1 << 60), Addr: netip.MustParseAddr("::1"),
		Multi: multi{"m", 2}, Next: &everything{S: "inner"},
	}
}
