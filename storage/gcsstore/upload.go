package gcsstore

import (
	"context"
	"hash/crc32"
	"io"
	"sync"

	gcs "cloud.google.com/go/storage"
)

const (
	// partSize is what an upload holds in memory, and sends in one request.
	partSize = 8 << 20
	// headSize is what is read before it is decided how much the upload holds: the SDK has steps of that size.
	headSize = 256 << 10
)

// heads are buffers of headSize.
var heads = sync.Pool{New: func() any { return new([headSize]byte) }}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// upload is data on the way to the service.
type upload struct {
	source source
	size   int64 // of the data, or negative where that is not known
	part   int64

	sum  uint32
	sent int64
}

// send stores the data, and leaves nothing running. Where the data fail, nothing is stored. The SDK sends a checksum
// along: inside the only request, or in the header of the last one.
func (u *upload) send(ctx context.Context, o *gcs.ObjectHandle, c *call) (*gcs.ObjectAttrs, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	head := heads.Get().(*[headSize]byte)
	defer heads.Put(head)
	n, err := io.ReadFull(&u.source, head[:])
	w := o.NewWriter(ctx)
	w.ContentType = "application/octet-stream" // else the SDK guesses from the data
	w.ChunkSize = u.chunk(n)
	w.ProgressFunc = func(int64) { c.progress() }
	for {
		if u.source.failed() {
			cancel()
			_ = w.Close() // waits for what runs; it fails, since its context is over
			return nil, err
		}
		u.sum = crc32.Update(u.sum, castagnoli, head[:n])
		u.sent += int64(n)
		if _, err := w.Write(head[:n]); err != nil {
			break // Close has the cause
		}
		if u.source.err != nil {
			break
		}
		n, err = u.source.Read(head[:])
	}
	if u.sent < int64(w.ChunkSize) {
		c.size.Store(u.sent)
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

// chunk is how much the SDK is to hold, of data that begin with n bytes. Less than that is one request.
func (u *upload) chunk(n int) int {
	switch {
	case n < headSize:
		return headSize
	case 0 <= u.size && u.size < u.part:
		return int(u.size) + 1
	}
	return int(u.part)
}

// remaining returns how much there is to read, or -1 where the reader does not tell.
func remaining(data io.Reader) (int64, error) {
	if sized, ok := data.(interface{ Len() int }); ok {
		return int64(sized.Len()), nil
	}
	seeker, ok := data.(io.Seeker)
	if !ok {
		return -1, nil
	}
	now, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1, nil //nolint:nilerr // a pipe, for example
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return -1, nil //nolint:nilerr // nothing has moved
	}
	if _, err := seeker.Seek(now, io.SeekStart); err != nil {
		return -1, err
	}
	return end - now, nil
}

// source remembers how the data have ended.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.err = err
	return n, err
}

// failed tells whether the data have ended with an error.
func (s *source) failed() bool { return s.err != nil && s.err != io.EOF }
