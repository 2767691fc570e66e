package shuffle

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Named types, whose kinds alone are those of keys.
type (
	label  string
	number int16
	heat   float32
)

// keysOf checks all pairs of some keys: their bytes are ordered as they are, and equal where they are equal.
func keysOf[K cmp.Ordered](special []K, draw func(*rand.Rand) K) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		r := rand.New(rand.NewPCG(1, 2))
		keys := slices.Clone(special)
		for range 150 {
			keys = append(keys, draw(r))
		}
		c := NewKeys[K]()
		all := make([][]byte, len(keys))
		for i, k := range keys {
			all[i] = slices.Clone(c.Bytes(make([]byte, 0, 16), k))
			back, err := c.Decode(all[i])
			if err != nil || cmp.Compare(back, k) != 0 {
				t.Fatalf("%v comes back as %v, %v", k, back, err)
			}
			if again := c.Bytes(nil, back); !bytes.Equal(again, all[i]) {
				t.Fatalf("%v is % x, and then % x", k, all[i], again)
			}
			if f := reflect.ValueOf(back); f.CanFloat() && f.Float() == 0 && math.Signbit(f.Float()) {
				t.Error("0 comes back as -0")
			}
		}
		for i, a := range all {
			for j, b := range all {
				want := cmp.Compare(keys[i], keys[j])
				if got := bytes.Compare(a, b); got != want {
					t.Fatalf("%v and %v compare as %d, their bytes as %d", keys[i], keys[j], want, got)
				}
				// What sorting compares first must never say otherwise.
				if p := cmp.Compare(prefix(a), prefix(b)); p != 0 && p != want {
					t.Fatalf("%v and %v compare as %d, their prefixes as %d", keys[i], keys[j], want, p)
				}
			}
		}
	}
}

type integer interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64 | uintptr | number
}

// integers checks those around the numbers at which one takes a byte more, and the ends of the type.
func integers[K integer](t *testing.T) {
	var special []K
	for shift := range 8 * int(reflect.TypeFor[K]().Size()) {
		for _, d := range []K{0, 1, 2} {
			special = append(special, K(1)<<shift-1+d, -(K(1)<<shift - 1 + d))
		}
	}
	keysOf(special, func(r *rand.Rand) K { return K(r.Uint64() >> r.IntN(64)) })(t)
}

func floats[K float32 | float64 | heat](special ...K) func(*testing.T) {
	zero := K(0)
	special = append(special, zero, -zero, K(math.Copysign(0, -1)), K(math.NaN()), -K(math.NaN()), K(math.Inf(1)), K(math.Inf(-1)), 1, -1)
	return keysOf(special, func(r *rand.Rand) K { return K(r.NormFloat64() * math.Pow(10, float64(r.IntN(80)-40))) })
}

func text(r *rand.Rand) string {
	b := make([]byte, r.IntN(20))
	for i := range b {
		b[i] = []byte{0, 1, 'a', 'b', 0x7f, 0x80, 0xff}[r.IntN(7)]
	}
	return string(b)
}

// TestKeys of all kinds.
func TestKeys(t *testing.T) {
	t.Parallel()
	t.Run("string", keysOf([]string{"", "\x00", "\x00\x00", "a", "a\x00", "\xff", "\xff\xff", "ä", "12345678", "12345678\x00", "123456789"}, text))
	t.Run("named string", keysOf([]label{""}, func(r *rand.Rand) label { return label(text(r)) }))
	t.Run("int", integers[int])
	t.Run("int8", integers[int8])
	t.Run("int16", integers[int16])
	t.Run("int32", integers[int32])
	t.Run("int64", integers[int64])
	t.Run("uint", integers[uint])
	t.Run("uint8", integers[uint8])
	t.Run("uint16", integers[uint16])
	t.Run("uint32", integers[uint32])
	t.Run("uint64", integers[uint64])
	t.Run("uintptr", integers[uintptr])
	t.Run("named int", integers[number])
	t.Run("float32", floats[float32](math.MaxFloat32, math.SmallestNonzeroFloat32, -math.MaxFloat32))
	t.Run("float64", floats(math.MaxFloat64, math.SmallestNonzeroFloat64, -math.MaxFloat64))
	t.Run("named float", floats[heat]())
}

// TestKeysRefuse: what no key has for its bytes is an error, so that a key has one form.
func TestKeysRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
	}{
		{"nothing", refusal[int](nil)},
		{"a leading zero", refusal[int]([]byte{zero + 2, 0, 1})},
		{"a leading one", refusal[int]([]byte{minusOne - 2, 0xff, 0xfe})},
		{"too short", refusal[int]([]byte{zero + 2, 1})},
		{"too long", refusal[int]([]byte{zero + 1, 1, 0})},
		{"nine bytes", refusal[uint64]([]byte{zero + 9, 1, 2, 3, 4, 5, 6, 7, 8, 9})},
		{"over int64", refusal[int64]([]byte{zero + 8, 0x80, 0, 0, 0, 0, 0, 0, 0})},
		{"under int64", refusal[int64]([]byte{minusOne - 8, 0x7f, 0, 0, 0, 0, 0, 0, 0})},
		{"over int8", refusal[int8]([]byte{zero + 1, 128})},
		{"over uint16", refusal[uint16]([]byte{zero + 3, 1, 0, 0})},
		{"below zero", refusal[uint]([]byte{minusOne})},
		{"seven bytes", refusal[float64](make([]byte, 7))},
		{"-0", refusal[float64]([]byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})},
		{"another NaN", refusal[float64]([]byte{0xff, 0xf8, 0, 0, 0, 0, 0, 1})},
		{"a negative NaN", refusal[float64]([]byte{0, 0, 0, 0, 0, 0, 0, 1})},
		{"no float32", refusal[float32]([]byte{0xbf, 0xf0, 0, 0, 0, 0, 0, 1})},
	} {
		if !errors.Is(c.err, ErrCorrupt) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
}

func refusal[K cmp.Ordered](b []byte) error {
	_, err := NewKeys[K]().Decode(b)
	return err
}
