package shuffle

import (
	"bufio"
	"context"
	"crypto/rand"
	"hash/crc32"
	"io"

	"github.com/gowren/gowren/storage"
)

// Upload is an object that is stored while it is written, in memory that does not grow with it.
type Upload struct {
	buf  *bufio.Writer
	pipe *io.PipeWriter
	done chan error
	Size int64  // of the object, once it is closed
	Sum  uint32 // its CRC-32C
}

// NewUpload begins an object. It ends with Close, or with Abort.
func NewUpload(ctx context.Context, b storage.Bucket, key string) *Upload {
	r, w := io.Pipe()
	u := &Upload{pipe: w, done: make(chan error, 1)}
	u.buf = bufio.NewWriterSize(counting{u}, 256<<10)
	go func() {
		err := b.Put(ctx, key, r)
		_ = r.CloseWithError(err) // never fails; whoever writes meanwhile is told
		u.done <- err
	}()
	return u
}

// Write takes the next bytes. An error is that of storing the object.
func (u *Upload) Write(p []byte) (int, error) { return u.buf.Write(p) }

// counting passes on what the buffer has gathered.
type counting struct{ u *Upload }

func (c counting) Write(p []byte) (int, error) {
	c.u.Size += int64(len(p))
	c.u.Sum = crc32.Update(c.u.Sum, castagnoli, p)
	return c.u.pipe.Write(p)
}

// Close returns when the object is stored, or has failed to be.
func (u *Upload) Close() error {
	if err := u.buf.Flush(); err != nil { // it is Put's own error, or else a worse one
		u.Abort(err)
		return err
	}
	_ = u.pipe.Close() // never fails
	return <-u.done
}

// Abort gives the object up, and returns when nothing more is done about it. Nothing is stored.
func (u *Upload) Abort(err error) {
	if err == nil {
		err = context.Canceled
	}
	_ = u.pipe.CloseWithError(err) // never fails
	<-u.done                       //nolint:errcheck // it is err, or came of it
}

// name makes the name of an object that no other attempt, however late, writes too.
func name(prefix string) string { return prefix + "-" + rand.Text()[:16] }
