// Package serialize turns Go values into bytes and back. Tasks carry their inputs, arguments and results in it.
//
//	data, err := serialize.Marshal(&in) // pass a pointer: nothing is copied
//	err = serialize.Unmarshal(data, &out)
//
// A [Coder] does the same with buffers that it keeps; the functions take one from a pool.
//
// # Format
//
// The format is msgpack. Structs are maps by field name, with the tags of github.com/vmihailenco/msgpack/v5:
// `msgpack:"name,omitempty"`, "-", inline, noinline, alias:other, and as_array on a field _msgpack. What holds no slice of
// numbers, no complex number and no time outside UTC has the bytes of that library with sorted maps. Its registry of types
// and extensions, which a program shares, is left alone, so the program's own use of msgpack does not change. The option
// intern has no effect.
//
//	Go                                          msgpack
//	nil pointer, slice, map, interface          nil
//	bool, string, float32, float64              bool, str, float 32, float 64
//	int, uint                                   the shortest integer
//	int8 ... uint64                             an integer of that width
//	[]byte, [n]byte                             bin
//	slice of any other numeric type             extension 100: kind, then elements, little-endian
//	complex64, complex128                       extension 101: kind, then the number
//	other slices, arrays                        array
//	map                                         map, in the order of its keys
//	struct                                      map, in the order of its fields
//	time.Time in UTC                            extension -1, msgpack's timestamp
//	time.Time elsewhere                         extension 102: seconds, nanoseconds, offset, abbreviation
//	error                                       str, its text
//	EncodeMsgpack that writes several values    extension 103: those values
//	BinaryMarshaler, TextMarshaler              bin
//
// Kinds are int8 1, int16 2, int32 3, int64 4, int 5, uint8 6, uint16 7, uint32 8, uint64 9, uint 10, float32 11,
// float64 12, complex64 13, complex128 14. An int takes 64 bits. A slice of numbers costs about a copy of its memory;
// named slices and named elements count as what they are made of, at any place in a value. Other msgpack decoders skip or
// refuse the extensions. Slices of numbers that come as plain arrays are read too.
//
// A type's own encoding is used where both halves of a pair are there, first to last: EncodeMsgpack or MarshalMsgpack,
// with DecodeMsgpack or UnmarshalMsgpack; MarshalBinary with UnmarshalBinary; MarshalText with UnmarshalText. Methods on
// the pointer are found wherever the value is, in maps and interfaces too. EncodeMsgpack writes with msgpack's Encoder,
// and what it writes is checked to be whole values.
//
// # What comes back
//
// A value comes back equal, nil apart from empty, floats by their bits. Where it could not, encoding fails with an error
// that names the field: channels, functions, uintptr, structs without any exported field, values that contain themselves
// or nest deeper than 1,000 levels, interfaces with methods, pointers to a nil slice, map or pointer, maps keyed by
// pointers, maps whose keys encode alike, a struct that inherits its encoding from an embedded one and would lose its
// other fields, msgpack methods in one direction only. What is different on arrival, by design:
//
//   - Unexported fields are not sent.
//   - Two pointers to one value become two values.
//   - omitempty makes an empty slice or map nil.
//   - A time keeps its instant, offset and abbreviation. It loses its monotonic reading and the rules of its zone.
//   - An error keeps its text only.
//   - An interface without methods gets back exactly what it held if that was nil, a bool, string, []byte, time, a number of
//     a predeclared type, a slice of those numbers, []any or map[string]any of the same. Named types come back as what
//     they are made of, those with an encoding of their own as what that wrote (mostly []byte), [n]byte as []byte,
//     pointers as what they point to, nil of any type as nil, other slices and arrays as []any, structs and
//     maps keyed by strings as map[string]any, other maps as map[any]any. In those, a field or an element that is a
//     sized integer comes back as an int (as int64 or uint64 where it is too large).
//
// Decoding a number fails where the destination cannot hold it exactly. Integers go into floats; floats never into
// integers. Unknown fields are passed over. Nil becomes the zero value of any type. Bytes after the value are an error.
// Decoding first sets the destination to its zero value: unlike encoding/json it neither merges with nor reuses what was
// there.
//
// # One value, one encoding
//
// Equal values have equal bytes, so that a hash of the bytes can name the value: keys of maps are sorted, words and
// integers by value, others by their encoding, which takes memory for one copy of the keys and values of that map, and
// about doubles the time. The exception is a type whose own EncodeMsgpack ranges over a map.
//
// # Bounds
//
// All lengths and levels in data are checked before anything is allocated by them, and a panic in a type's own methods
// becomes an error. Decoding takes at most the size of the destination's element for each byte of data, and for maps a
// few times that: 8 bytes a byte into []float64 from a plain array, about 100 into any; plus the stack for 1,000 levels.
// A type's own methods are outside of these bounds in two ways: EncodeMsgpack that follows a cycle is stopped only if it
// writes as it goes and heeds errors, and MarshalMsgpack that calls msgpack.Marshal on a cycle is not.
package serialize
