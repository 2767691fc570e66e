package exact

import (
	"encoding/binary"
	"errors"
	"math"
)

// The encoding of a sum is that of its value alone: equal sums have equal bytes, however they came about.
//
//	1 byte   what was met: NaN 1, +∞ 2, −∞ 4; and 8 where the sum is negative
//	1 byte   the number of digits
//	1 byte   the place of the first
//	4 bytes  each digit, little-endian, the lowest first
const (
	negative = 8
	chunks   = 140 // a sum of 2^63 numbers has fewer
)

var (
	errEncoded = errors.New("exact: this is no encoded sum")
	errTooMany = errors.New("exact: a sum of more than 2^63 numbers")
)

// AppendBinary appends the sum's encoding, of 3 bytes and 4 for each 32 bits of it.
func (s *Sum) AppendBinary(b []byte) ([]byte, error) {
	digits, first, neg := s.magnitude(nil)
	flags := byte(s.met)
	if neg {
		flags |= negative
	}
	if first+len(digits) > chunks {
		return nil, errTooMany
	}
	b = append(b, flags, byte(len(digits)), byte(first))
	for _, d := range digits {
		b = binary.LittleEndian.AppendUint32(b, d)
	}
	return b, nil
}

// MarshalBinary returns the sum's encoding.
func (s *Sum) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary decodes what MarshalBinary wrote, and nothing else.
func (s *Sum) UnmarshalBinary(data []byte) error {
	rest, err := s.decode(data)
	if err == nil && len(rest) > 0 {
		err = errEncoded
	}
	return err
}

func (s *Sum) decode(data []byte) (rest []byte, err error) {
	if len(data) < 3 {
		return nil, errEncoded
	}
	flags, n, first := data[0], int(data[1]), int(data[2])
	data = data[3:]
	if flags > 15 || first+n > chunks || len(data) < 4*n || n == 0 && (first != 0 || flags&negative != 0) {
		return nil, errEncoded
	}
	*s = Sum{met: special(flags &^ negative), first: int32(first)}
	if n == 0 {
		return data, nil
	}
	s.chunks = make([]int64, n)
	for i := range s.chunks {
		d := int64(binary.LittleEndian.Uint32(data[4*i:]))
		if d == 0 && (i == 0 || i == n-1) {
			return nil, errEncoded // not the shortest
		}
		if flags&negative != 0 {
			d = -d
		}
		s.chunks[i] = d
	}
	s.added = 1
	return data[4*n:], nil
}

// MarshalBinary returns the moments' encoding: equal ones have equal bytes.
func (m *Moments) MarshalBinary() ([]byte, error) {
	if m.Count < 0 {
		return nil, errTooMany
	}
	b := binary.AppendUvarint(nil, uint64(m.Count))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.least))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.most))
	b, err := m.Sum.AppendBinary(b)
	if err != nil {
		return nil, err
	}
	return m.Squares.AppendBinary(b)
}

// UnmarshalBinary decodes what MarshalBinary wrote. It refuses what no numbers have by their signs, zeros and infinities, and does
// not prove that there are such numbers.
func (m *Moments) UnmarshalBinary(data []byte) error {
	count, n := binary.Uvarint(data)
	if n <= 0 || n > 1 && data[n-1] == 0 || count > math.MaxInt64 || len(data) < n+16 {
		return errEncoded
	}
	data = data[n:]
	got := Moments{
		Count: int64(count),
		least: math.Float64frombits(binary.LittleEndian.Uint64(data)),
		most:  math.Float64frombits(binary.LittleEndian.Uint64(data[8:])),
	}
	rest, err := got.Sum.decode(data[16:])
	if err == nil {
		rest, err = got.Squares.decode(rest)
	}
	if err == nil && (len(rest) > 0 || !got.sound()) {
		err = errEncoded
	}
	if err == nil {
		*m = got
	}
	return err
}

// sound tells whether decoded moments agree with each other.
func (m *Moments) sound() bool {
	var met, squared special // what the least and the most say
	if m.most > math.MaxFloat64 {
		met, squared = metInf, metInf
	}
	if m.least < -math.MaxFloat64 {
		met, squared = met|metNegInf, metInf
	}
	sum, squares := m.Sum.chunks, m.Squares.chunks
	zeros := m.least == 0 && m.most == 0
	switch {
	case m.Sum.met != met || m.Squares.met != squared:
		return false
	case zeros: // all numbers, or there are none
		return len(sum) == 0 && len(squares) == 0 && !math.Signbit(m.least) && !math.Signbit(m.most)
	case m.Count == 0 || !(m.least <= m.most): // NaN is neither
		return false
	case m.least == 0 && math.Signbit(m.least) || m.most == 0 && math.Signbit(m.most):
		return false
	case len(squares) == 0:
		return met != 0 && len(sum) == 0
	}
	return squares[len(squares)-1] > 0
}
