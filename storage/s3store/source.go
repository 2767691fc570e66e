package s3store

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/gowren/gowren/storage"
)

// source reads data in parts. It knows at the end of a part whether it was the last one, since S3 wants to be told what
// is one part alone in another way than several.
type source struct {
	r      io.Reader
	left   int64 // what there is by the data's own word; negative where it does not tell
	size   int   // of a part
	peeked []byte
	ended  bool
}

const (
	// maxParts is S3's limit of one upload.
	maxParts = 10_000
	// idleReads in a row, without a byte and without an error, are taken for a broken reader, as package bufio does.
	idleReads = 100
)

// newSource asks data how much there is, if it is a file or the like. More than 10,000 parts of the usual size make the
// parts larger.
func newSource(ctx context.Context, data io.Reader) *source {
	s := &source{r: storage.WithContext(ctx, data), left: -1, size: partSize}
	if seeker, ok := data.(io.Seeker); ok {
		s.left = length(seeker)
	}
	if s.left > maxParts*partSize {
		s.size = int((s.left/maxParts>>20 + 1) << 20)
	}
	return s
}

// length returns the number of bytes to the end, or -1 if it cannot be had.
func length(s io.Seeker) int64 {
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return -1
	}
	if _, err := s.Seek(at, io.SeekStart); err != nil || end < at {
		return -1 // the next Read tells what is wrong
	}
	return end - at
}

// first reads the first part into memory that fits: most objects are small. freeFirst takes it back.
func (s *source) first() ([]byte, error) {
	size := 16 << 10
	if s.left >= 0 {
		size = int(min(s.left, int64(s.size)))
	}
	var p []byte
	for n := 0; ; size = min(max(size, 2<<10)*8, s.size) {
		p = grow(p[:n], size)
		m, err := s.read(p[n:size])
		n += m
		if err != nil {
			freeFirst(p)
			return nil, err
		}
		if s.ended || n == s.size {
			return p[:n], nil
		}
	}
}

// grow returns p with room for size bytes, of one of the buffers where it is that much.
func grow(p []byte, size int) []byte {
	var q []byte
	if size == partSize {
		q = *buffers.Get().(*[]byte)
	} else {
		q = make([]byte, size)
	}
	copy(q, p)
	return q[:size]
}

// freeFirst takes back what first returned.
func freeFirst(p []byte) {
	if p = p[:cap(p)]; len(p) == partSize {
		buffers.Put(&p)
	}
}

// read fills p, unless the data end before. It sets ended where nothing follows. It is not io.ReadFull, which would hide
// whether io.ErrUnexpectedEOF is the data's own.
func (s *source) read(p []byte) (n int, err error) {
	n = copy(p, s.peeked)
	s.peeked = s.peeked[:0]
	for idle := 0; ; {
		var m int
		if n < len(p) {
			m, err = s.r.Read(p[n:])
			n += m
		} else {
			var next [1]byte
			if m, err = s.r.Read(next[:]); m > 0 {
				s.peeked = append(s.peeked, next[0])
				return n, nil // an error is met again by the next Read
			}
		}
		if err == io.EOF {
			s.ended = true
			return n, nil
		}
		if m > 0 {
			idle = 0
		} else if idle++; idle == idleReads && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil {
			return n, &dataError{err}
		}
	}
}

// dataError is an error of the data, which may be another store's, and is not to be taken for one of this store.
type dataError struct{ error }

func (e *dataError) Unwrap() error { return e.error }

// tooMany is the error of data without a known length that turn out too long.
func tooMany() error {
	return fmt.Errorf("%w: data of unknown length have more than %d GiB, in %d parts: give an io.Seeker, such as a file",
		fs.ErrInvalid, maxParts*partSize>>30, maxParts)
}
