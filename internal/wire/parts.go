package wire

import (
	"encoding/binary"
	"io"
)

// Part is a run of values that earlier tasks returned: in the list itself, or in an object of the bucket.
type Part struct {
	Data   []byte // the values, each with its length before it; where Key is empty
	Key    string
	Offset int64  // of the part in the object
	Size   int64  // of the part
	Single bool   // the part is one value with no length before it
	Sum    uint32 // CRC-32C of a single value
}

// AppendPart appends a part to a list.
func AppendPart(dst []byte, p Part) []byte {
	dst = appendBytes(dst, p.Key)
	if p.Key == "" {
		return appendBytes(dst, p.Data)
	}
	dst = binary.AppendUvarint(dst, uint64(p.Offset))
	dst = binary.AppendUvarint(dst, uint64(p.Size))
	single := byte(0)
	if p.Single {
		single = 1
	}
	dst = append(dst, single)
	return binary.AppendUvarint(dst, uint64(p.Sum))
}

// AppendValue appends a value to the data of a part.
func AppendValue(dst, value []byte) []byte { return appendBytes(dst, value) }

// NextPart returns the first part of a list and the rest of the list; io.EOF follows the last. Data refer to list.
func NextPart(list []byte) (Part, []byte, error) {
	if len(list) == 0 {
		return Part{}, nil, io.EOF
	}
	c := cursor{data: list}
	p := Part{Key: c.string("key")}
	if p.Key == "" {
		p.Data = c.bytes("part")
	} else {
		p.Offset, p.Size = c.size("offset"), c.size("size")
		p.Single = c.byte("kind") != 0
		p.Sum = c.sum()
	}
	return p, c.data, c.err
}
