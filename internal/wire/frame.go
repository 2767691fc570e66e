// Package wire is the protocol between driver and worker: one request frame goes to a worker, and a stream of frames
// comes back. A worker is anything that speaks it over a pair of byte streams.
//
// A frame is a header of ten bytes and a payload:
//
//	length of the payload  uint32, little-endian
//	protocol version       uint8
//	type                   uint8
//	checksum               uint32, little-endian: CRC-32C of version, type and payload
//
// Numbers in payloads are unsigned varints, strings and byte slices are a length and their bytes, and fields follow one
// another without tags. A later version may add fields at the end of a payload, which a decoder skips.
//
// A reply is any number of Result, Stored, Failed and Log frames, then one End or Leave; or one Refused. A supervisor that
// passes a reply on puts Beat frames between them, and ends with a Lost one what its worker did not end.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Version is the protocol's version. It changes when an old decoder could misread a frame.
const Version = 1

// MaxFrame is the largest payload that a Reader takes: what is larger travels through the bucket.
const MaxFrame = 64 << 20

const headerSize = 10

// Type says what a frame's payload is.
type Type uint8

// The types of frames.
const (
	TypeRequest Type = 1 + iota // to the worker: a Request
	TypeCancel                  // to the worker: stop the request under way; no payload
	TypeResult                  // a task's result: position, encoded value
	TypeStored                  // a task's result that went to the bucket: a Stored
	TypeFailed                  // a task's failure: a Failure
	TypeLog                     // a line for the log: a Log
	TypeEnd                     // the reply's end: an End
	TypeLeave                   // the reply's end, after which the worker exits: an End
	TypeRefused                 // the reply's end: the worker cannot serve the request; a message
	TypeBeat                    // the supervisor lives; no payload
	TypeLost                    // the reply's end: the supervisor tells that the worker is gone: a Lost
	typeLimit
)

// Ends reports whether a frame of this type is the last of a reply.
func (t Type) Ends() bool {
	return t == TypeEnd || t == TypeLeave || t == TypeRefused || t == TypeLost
}

var (
	// ErrCorrupt marks errors of bytes that are no frames: cut, changed on the way, or not ours.
	ErrCorrupt = errors.New("corrupt frame")
	// ErrVersion marks errors of frames of another protocol version.
	ErrVersion = errors.New("another protocol version")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the CRC-32C of data.
func Checksum(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

// Begin appends room for a frame's header to dst; the payload is appended next, and [Finish] completes the frame.
func Begin(dst []byte) []byte {
	return append(dst, make([]byte, headerSize)...)
}

// Finish completes the frame that began at dst[start:].
func Finish(dst []byte, start int, t Type) []byte {
	h := dst[start:]
	binary.LittleEndian.PutUint32(h, uint32(len(h)-headerSize))
	h[4], h[5] = Version, byte(t)
	binary.LittleEndian.PutUint32(h[6:], sum(h))
	return dst
}

// sum is the checksum of a frame.
func sum(frame []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, frame[4:6]), castagnoli, frame[headerSize:])
}

// AppendFrame appends a whole frame.
func AppendFrame(dst []byte, t Type, payload []byte) []byte {
	start := len(dst)
	return Finish(append(Begin(dst), payload...), start, t)
}

// header checks a header and returns the payload's length and the frame's type.
func header(h []byte) (int, Type, error) {
	n, version, t := binary.LittleEndian.Uint32(h), h[4], Type(h[5])
	switch {
	case version != Version && t > 0 && t < typeLimit:
		return 0, 0, fmt.Errorf("wire: a frame of version %d; this program speaks %d: build driver and worker from the same gowren: %w", version, Version, ErrVersion)
	case version != Version || t == 0 || t >= typeLimit:
		return 0, 0, fmt.Errorf("wire: no frame begins with % x: %w", h[:headerSize:headerSize], ErrCorrupt)
	case n > MaxFrame:
		return 0, 0, fmt.Errorf("wire: a frame of %d bytes; the limit is %d: %w", n, MaxFrame, ErrCorrupt)
	}
	return int(n), t, nil
}

// Whole reports whether data is as long as the frame that it begins with says. Nothing else of it is checked.
func Whole(data []byte) bool {
	return len(data) >= headerSize && int(binary.LittleEndian.Uint32(data)) == len(data)-headerSize
}

// Reader reads frames. It keeps its buffer; Reset readies it for another stream.
type Reader struct {
	src        io.Reader
	buf        []byte
	start, end int // the unread bytes are buf[start:end]
	frame      []byte
}

// Reset makes the reader read from src, and forgets what it had buffered. With nil it lets go of the last stream, and of
// a large buffer.
func (r *Reader) Reset(src io.Reader) {
	r.src, r.start, r.end, r.frame = src, 0, 0, nil
	if len(r.buf) > 1<<20 {
		r.buf = nil
	}
	if r.buf == nil && src != nil {
		r.buf = make([]byte, smallBuffer)
	}
}

// Next returns the next frame. The payload is valid until the next call. The error is io.EOF only between frames.
func (r *Reader) Next() (Type, []byte, error) {
	if err := r.fill(headerSize); err != nil {
		return 0, nil, err
	}
	n, t, err := header(r.buf[r.start:])
	if err != nil {
		return 0, nil, err
	}
	if err := r.fill(headerSize + n); err != nil {
		return 0, nil, err
	}
	frame := r.buf[r.start : r.start+headerSize+n]
	if sum(frame) != binary.LittleEndian.Uint32(frame[6:]) {
		return 0, nil, fmt.Errorf("wire: a frame of type %d and %d bytes was changed on the way (checksum): %w", t, n, ErrCorrupt)
	}
	r.start += len(frame)
	r.frame = frame
	return t, frame[headerSize:], nil
}

// Frame returns the frame whose payload Next returned last, header included. It is valid as long as the payload.
func (r *Reader) Frame() []byte { return r.frame }

// Buffered returns how many bytes were read from the source and not yet returned.
func (r *Reader) Buffered() int { return r.end - r.start }

// Ready reports whether Next returns without reading from the source.
func (r *Reader) Ready() bool {
	unread := r.buf[r.start:r.end]
	return len(unread) >= headerSize && len(unread)-headerSize >= int(binary.LittleEndian.Uint32(unread))
}

// fill makes n unread bytes available. The buffer grows with what comes, never to a length that was only claimed.
func (r *Reader) fill(n int) error {
	for idle := 0; r.end-r.start < n; {
		if r.start > 0 && r.start+n > len(r.buf) {
			r.end = copy(r.buf, r.buf[r.start:r.end])
			r.start = 0
		}
		if r.end == len(r.buf) {
			r.buf = append(r.buf, make([]byte, min(len(r.buf), n))...)
		}
		m, err := r.src.Read(r.buf[r.end:])
		r.end += m
		if r.end == len(r.buf) && r.end < fullBuffer { // there is more to be had at once
			r.buf = append(r.buf, make([]byte, 3*len(r.buf))...)
		}
		if err != nil && r.end-r.start < n {
			if err == io.EOF && r.end > r.start {
				err = fmt.Errorf("wire: the stream ends inside a frame: %w", io.ErrUnexpectedEOF)
			}
			return err
		}
		if m > 0 {
			idle = 0
		} else if idle++; idle >= maxIdle && r.end-r.start < n {
			return fmt.Errorf("wire: the stream brings nothing and does not end: %w", io.ErrNoProgress)
		}
	}
	return nil
}

// A buffer begins small, since ten thousand replies may be open that bring little, and grows for a stream that fills it.
const (
	smallBuffer = 4 << 10
	fullBuffer  = 64 << 10
)

// maxIdle is how many reads in a row may bring nothing, as in package bufio.
const maxIdle = 100
