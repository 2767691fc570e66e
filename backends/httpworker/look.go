package httpworker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/gowren/gowren/backends"
)

// headerLook asks with a ping that the worker reach for its bucket. Without it a ping costs the store nothing.
const headerLook = "Gowren-Look"

// lookTime bounds a worker's look at its bucket, and the store's retries with it.
const lookTime = 10 * time.Second

// lookPause is the first between two looks of a driver that prepares.
const lookPause = 250 * time.Millisecond

// ErrBucket marks the answer of a worker that does not reach its bucket. Another deployment would not mend that.
var ErrBucket = errors.New("the workers do not reach the bucket")

// Look asks a worker for its status, as Ping does, and has it reach for its bucket, which is a request to the store. Where
// it cannot, the error comes with the status: one of [ErrBucket], and of [backends.ErrRefused] where the store refused.
func (c *Client) Look(ctx context.Context) (Status, error) {
	s, err := c.ping(ctx, http.Header{headerLook: {"bucket"}})
	if err != nil || s.Problem == "" {
		return s, err
	}
	err = fmt.Errorf("httpworker: the worker %s at %s: %w %s: %s", s.Worker, c.base.Host, ErrBucket, s.Bucket, s.Problem)
	if s.Refused {
		return s, fmt.Errorf("%w: give the account or role that they run as the store's permissions on it: %w", err, backends.ErrRefused)
	}
	return s, fmt.Errorf("%w: it must be reachable from where they run", err)
}

// hiccup reports whether a worker does not reach its bucket, and may at another time.
func hiccup(err error) bool { return errors.Is(err, ErrBucket) && !errors.Is(err, backends.ErrRefused) }

// lookAgain is Look, which it repeats a few times where that can help, unless the store was waited for already.
func (c *Client) lookAgain(ctx context.Context) (Status, error) {
	begun := time.Now()
	for pause := lookPause; ; pause *= 2 {
		s, err := c.Look(ctx)
		if !hiccup(err) || pause > 4*lookPause || time.Since(begun) > lookTime {
			return s, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s, context.Cause(ctx)
		}
	}
}

// look reaches for the bucket, if there is one.
func (s *server) look(ctx context.Context) error {
	if s.worker.Bucket == "" {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookTime, fmt.Errorf("the store did not answer within %v", lookTime))
	defer cancel()
	b, err := s.supervisor.Bucket(ctx)
	if err != nil {
		return err
	}
	if _, err = b.Stat(ctx, "programs/"+s.worker.Program); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
