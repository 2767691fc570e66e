package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/gowren/gowren/internal/wire"
)

// ID is the identity of a task: what is computed, of what. A task of the same identity has the same result.
type ID [16]byte

// Identity returns that of a task: of the function and its signature, the shared argument's hash, the encoded input, and
// which one of several tasks with equal inputs it is.
func Identity(function, types, shared string, input []byte, nth int) ID {
	h := sha256.New()
	var size [8]byte
	for _, part := range [][]byte{[]byte(function), []byte(types), []byte(shared), input, binary.LittleEndian.AppendUint64(nil, uint64(nth))} {
		binary.LittleEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	return ID(h.Sum(nil)[:16])
}

// Text returns the ID as a part of a key.
func (id ID) Text() string { return hex.EncodeToString(id[:]) }

// An object begins with magic, then has for each entry its kind, an ID, the length of the data as a varint, and the data,
// and ends with the CRC-32C of all that, little-endian.
const magic = "GWJ2"

// The kinds of entries, and what their IDs and data are.
const (
	kindResult byte = iota // a task's, and its result
	kindSent               // a request's that is to be sent, and what is to be known of it
	kindTaken              // a request's that was taken by its backend
	kindOver               // a request's, of which nothing more comes
	kinds
)

// ErrCorrupt marks errors of objects that were changed, cut, or are none of ours.
var ErrCorrupt = errors.New("a corrupt journal")

func appendEntry(dst []byte, kind byte, id ID, data []byte) []byte {
	dst = append(append(dst, kind), id[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(data)))
	return append(dst, data...)
}

// seal makes an object of entries.
func seal(entries []byte) []byte {
	object := append(make([]byte, 0, len(magic)+len(entries)+4), magic...)
	object = append(object, entries...)
	return binary.LittleEndian.AppendUint32(object, wire.Checksum(object))
}

// open yields the entries of an object, once all of it is known to be whole. Data refer to it.
func open(object []byte, yield func(kind byte, id ID, data []byte) error) error {
	body := len(object) - 4
	if body < len(magic) || string(object[:len(magic)]) != magic {
		return fmt.Errorf("%d bytes that do not begin as one: %w", len(object), ErrCorrupt)
	}
	if binary.LittleEndian.Uint32(object[body:]) != wire.Checksum(object[:body]) {
		return fmt.Errorf("%d bytes, changed on the way (checksum): %w", len(object), ErrCorrupt)
	}
	for rest := object[len(magic):body]; len(rest) > 0; {
		var id ID
		if len(rest) <= len(id) {
			return fmt.Errorf("an entry that is cut: %w", ErrCorrupt)
		}
		kind := rest[0]
		if kind >= kinds {
			return fmt.Errorf("an entry of kind %d: %w", kind, ErrCorrupt)
		}
		rest = rest[1:]
		copy(id[:], rest)
		size, n := binary.Uvarint(rest[len(id):])
		rest = rest[len(id)+max(n, 0):]
		if n <= 0 || size > uint64(len(rest)) {
			return fmt.Errorf("an entry that is cut: %w", ErrCorrupt)
		}
		if err := yield(kind, id, rest[:size]); err != nil {
			return err
		}
		rest = rest[size:]
	}
	return nil
}
