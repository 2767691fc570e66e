package s3store

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gowren/gowren/storage"
)

const (
	// partSize is the size of a part of an upload, and of a range of a download. S3 wants 5 MiB at least, R2 that all
	// but the last are alike, and a busy connection is worth its opening from some MiB on.
	partSize = 8 << 20
	// ahead bounds the parts of one object that are on the way at once.
	ahead = 4
	// spare bounds the buffers of all transfers of this process beyond the one that each upload may have: 128 MiB.
	spare = 16
	// small is the size up to which an object's bytes are held without counting.
	small = 256 << 10
)

// buffers are those of partSize that nobody uses.
var buffers = sync.Pool{New: func() any { b := make([]byte, partSize); return &b }}

// spares has an element for each spare buffer in use.
var spares = make(chan struct{}, spare)

// trySpare takes a spare buffer, if one is left.
func trySpare() *[]byte {
	select {
	case spares <- struct{}{}:
		return buffers.Get().(*[]byte)
	default:
		return nil
	}
}

// giveSpare returns what trySpare gave.
func giveSpare(b *[]byte) {
	if b != nil {
		buffers.Put(b)
		<-spares
	}
}

// space takes the body of an answer, inside the SDK's attempts, so that a body that is cut or damaged is asked for
// again. What is too large for the memory that is left stays in the body, to be read by the caller.
type space struct {
	buf  *[]byte // a spare buffer, or nil
	take bool    // buf may be taken when it is needed
	data []byte  // the whole body; nil where it is left
}

type spaceKey struct{}

// fill reads the body. Its end must be met, for there the SDK compares checksums.
func (s *space) fill(out *s3.GetObjectOutput) error {
	n := aws.ToInt64(out.ContentLength)
	if s.buf == nil && s.take && small < n && n <= partSize {
		s.buf = trySpare()
	}
	switch {
	case s.buf != nil && 0 <= n && n <= partSize:
		s.data = (*s.buf)[:n]
	case 0 <= n && n <= small:
		s.data = make([]byte, n)
	default:
		return nil
	}
	err := readAll(out.Body, s.data)
	out.Body.Close()
	if err != nil {
		s.data = nil
		return &bodyError{damage(err)}
	}
	return nil
}

// give returns the memory.
func (s *space) give() {
	giveSpare(s.buf)
	s.buf, s.data = nil, nil
}

// damage marks an error of a body for which the SDK says that a checksum differs. Its type is not exported.
func damage(err error) error {
	if strings.HasPrefix(err.Error(), "checksum did not match") {
		return fmt.Errorf("%w: %w", storage.ErrDamaged, err)
	}
	return err
}

// readAll fills p from r, which has to end there.
func readAll(r io.Reader, p []byte) error {
	if _, err := io.ReadFull(r, p); err != nil {
		return err
	}
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return errors.New("the body is longer than it says")
	case err == io.EOF:
		return nil
	default:
		return err
	}
}
