package azstore

import (
	"context"
	"io"
	"sync"
)

// source reads a caller's data block by block.
type source struct {
	data  io.Reader
	ended bool
	full  bool // a whole block was read
}

// pool holds memory for blocks of the usual size.
var pool = sync.Pool{New: func() any { return new([smallBlock]byte) }}

// recycle gives a block's memory back. Whoever calls it knows that nobody reads it any more.
func recycle(block []byte) {
	if cap(block) == smallBlock {
		pool.Put((*[smallBlock]byte)(block[:smallBlock]))
	}
}

// sourceError is an error of the data, which may be read from another store, and so look like one of ours.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// next returns the next block, which is shorter than size, or empty, where the data end. Memory grows with what is
// there, so that a small object takes little.
func (s *source) next(ctx context.Context, size int) ([]byte, error) {
	if s.ended {
		return nil, nil
	}
	block := s.memory(size)
	for barren := 0; len(block) < size; {
		if len(block) == cap(block) {
			block = grown(block, size)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := s.data.Read(block[len(block):cap(block)])
		block = block[:len(block)+n]
		if err == io.EOF {
			s.ended = true
			if len(block) == 0 {
				recycle(block)
				return nil, nil
			}
			return block, nil
		}
		if err != nil {
			return nil, &sourceError{err}
		}
		if barren++; n > 0 {
			barren = 0
		} else if barren == 100 {
			return nil, io.ErrNoProgress
		}
	}
	s.full = true
	return block, nil
}

// memory is what a block begins with: of the size of the data, where they tell, and one byte more, since a full block
// would have to grow before the end is seen. Large data are read into whole blocks from the second one on.
func (s *source) memory(size int) []byte {
	if known, ok := s.data.(interface{ Len() int }); ok && known.Len() < size {
		return make([]byte, 0, known.Len()+1)
	}
	if s.full {
		return whole(size)
	}
	return make([]byte, 0, min(size, 4<<10))
}

// grown returns the block with more room, of size at most.
func grown(block []byte, size int) []byte {
	if room := 4 * max(cap(block), 1<<10); room < size {
		return append(make([]byte, 0, room), block...)
	}
	return append(whole(size), block...)
}

// whole returns memory for a block of a size.
func whole(size int) []byte {
	if size == smallBlock {
		return pool.Get().(*[smallBlock]byte)[:0]
	}
	return make([]byte, 0, size)
}
