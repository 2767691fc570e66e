package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

// Spool keeps a whole reply that goes over no stream: in memory, and from a size on in a temporary file.
type Spool struct {
	limit int
	mem   bytes.Buffer
	file  *os.File
}

// NewSpool makes a spool that has so many bytes in memory at most.
func NewSpool(limit int) *Spool { return &Spool{limit: limit} }

// Write implements [io.Writer].
func (s *Spool) Write(p []byte) (int, error) {
	if s.file == nil && s.mem.Len()+len(p) <= s.limit {
		return s.mem.Write(p)
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "gowren-reply-")
		if err != nil {
			return 0, err
		}
		s.file = f
		if _, err := s.mem.WriteTo(f); err != nil {
			return 0, err
		}
	}
	return s.file.Write(p)
}

// Bytes returns the reply, if it is in memory.
func (s *Spool) Bytes() ([]byte, bool) { return s.mem.Bytes(), s.file == nil }

// reader returns the reply from its beginning. It can be read again by another attempt to store it.
func (s *Spool) reader() (io.ReadSeeker, error) {
	if s.file == nil {
		return bytes.NewReader(s.mem.Bytes()), nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

// Close removes the file.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// Bucket returns the workers' bucket, which it opens at its first use.
func (s *Supervisor) Bucket(ctx context.Context) (storage.Bucket, error) { return s.bucket.get(ctx) }

// FetchRequest reads a request from the bucket that was too large for its platform.
func (s *Supervisor) FetchRequest(ctx context.Context, key string) ([]byte, error) {
	b, err := s.bucket.get(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, fmt.Errorf("fetch the request: %w", err)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, wire.MaxFrame+1<<10))
	if err != nil {
		return nil, fmt.Errorf("fetch the request: %w", err)
	}
	return body, nil
}

// StoreReply puts a reply into the bucket, unless there is one: a platform that delivers a call twice has it served
// twice, and the first to end is who answers.
func (s *Supervisor) StoreReply(ctx context.Context, key string, reply *Spool) error {
	b, err := s.bucket.get(ctx)
	if err != nil {
		return err
	}
	r, err := reply.reader()
	if err != nil {
		return err
	}
	if err := b.PutNew(ctx, key, r); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("store the reply: %w", err)
	}
	return nil
}

// The pauses between two looks for a reply in the bucket. A look is a request to the store.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = 2 * time.Second
)

// Looks holds one for each look for a reply that is under way: a great many may be waited for.
type Looks chan struct{}

// look opens a reply, if it is there.
func (l Looks) look(ctx context.Context, b storage.Bucket, key string) (io.ReadCloser, error) {
	select {
	case l <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-l }()
	if _, err := b.Stat(ctx, key); err != nil {
		return nil, err
	}
	return b.Get(ctx, key, 0, -1)
}

// AwaitReply returns a reply from the bucket as soon as it is there. It looks at its key, less and less often, as looks has
// room, and gives up after the wait.
func AwaitReply(ctx context.Context, b storage.Bucket, key string, wait time.Duration, looks Looks) (io.ReadCloser, error) {
	over := time.Now().Add(wait)
	for pause := firstLook; ; pause = min(pause*5/4, lastLook) {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
		r, err := looks.look(ctx, b, key)
		if err == nil {
			return r, nil
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
			return nil, fmt.Errorf("look for the reply: %w: %w", backends.ErrUnread, err)
		}
		if time.Now().After(over) { // an error of the store may have been a passing one
			missing := fmt.Errorf("no reply came to the bucket within %v", wait)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, missing
			}
			return nil, fmt.Errorf("%w: %w: %w", missing, backends.ErrUnread, err)
		}
	}
}
