package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"time"
)

// RetryPolicy says how often and how soon [Retry] tries again.
type RetryPolicy struct {
	// Attempts bounds the attempts in a row that get nowhere, the first included. A Get that delivered a byte and a List
	// that yielded an object start to count anew. Defaults to 4.
	Attempts int
	// Base bounds the first pause; each further bound is twice the last. A pause is drawn evenly from zero to its bound,
	// so that workers that failed together do not come back together. Defaults to 100 ms.
	Base time.Duration
	// Max bounds all pauses. Defaults to 10 s.
	Max time.Duration
	// OnRetry, when not nil, is called before each pause, with the number of the attempt that failed, from 1. It may be
	// called by several goroutines at once.
	OnRetry func(op, key string, attempt int, err error)
}

// Retry returns a bucket that tries b's operations again where that can help: after [ErrThrottled] and after errors of
// no known kind, which are taken for passing ones. It does not after fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// fs.ErrInvalid, fs.ErrClosed, [ErrChanged], [ErrDamaged] or a context's end.
//
// A Get that is cut goes on where it was cut, when b's reader is [Tagged] and the object is still the same; when it was
// replaced, the read fails with [ErrChanged], and when that cannot be known, with its own error.
//
// Put and PutNew are tried again only when data is an [io.Seeker], which is then set back to where it was. An error of
// data itself is final. A PutNew that finds the key taken after an attempt of unknown outcome reads the object and
// compares it: the same bytes are its own success. So writers whose bytes can be alike, and of whom one must win, put
// their name into them.
//
// This holds only if b makes one attempt a PutNew: a driver whose SDK retries switches that off for PutNew, since the
// second attempt would report the first one's object as another's.
//
// Close closes b. The URL is that of b, and opens it without the retries.
func Retry(b Bucket, p RetryPolicy) Bucket {
	if p.Attempts <= 0 {
		p.Attempts = 4
	}
	if p.Base <= 0 {
		p.Base = 100 * time.Millisecond
	}
	if p.Max <= 0 {
		p.Max = 10 * time.Second
	}
	return &retrying{b, p}
}

type retrying struct {
	b      Bucket
	policy RetryPolicy
}

func (r *retrying) Stat(ctx context.Context, key string) (o Object, err error) {
	err = r.do(ctx, "stat", key, func() error {
		o, err = r.b.Stat(ctx, key)
		return err
	})
	return o, err
}

func (r *retrying) Delete(ctx context.Context, keys ...string) error {
	first := ""
	if len(keys) > 0 {
		first = keys[0]
	}
	return r.do(ctx, "delete", first, func() error { return r.b.Delete(ctx, keys...) })
}

// List goes on after the last key that it yielded.
func (r *retrying) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		last, any := "", false
		for attempt := 1; ; attempt++ {
			var failed error
			for o, err := range r.b.List(ctx, prefix) {
				if err != nil {
					failed = err
					break
				}
				if any && o.Key <= last {
					continue
				}
				last, any, attempt = o.Key, true, 1
				if !yield(o, nil) {
					return
				}
			}
			if failed == nil {
				return
			}
			if err := r.pause(ctx, "list", prefix, attempt, failed); err != nil {
				yield(Object{}, err)
				return
			}
		}
	}
}

func (r *retrying) URL() string { return r.b.URL() }

func (r *retrying) Close() error { return r.b.Close() }

// Unwrap returns the bucket without the retries.
func (r *retrying) Unwrap() Bucket { return r.b }

// do calls try until it succeeds, fails for good, or has used up its attempts.
func (r *retrying) do(ctx context.Context, op, key string, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil {
			return nil
		}
		if err := r.pause(ctx, op, key, attempt, err); err != nil {
			return err
		}
	}
}

// pause waits before the next attempt. It returns err where there is to be none, and says so where ctx is the
// reason.
func (r *retrying) pause(ctx context.Context, op, key string, attempt int, err error) error {
	if ctx.Err() != nil {
		return ended(ctx, err)
	}
	if attempt >= r.policy.Attempts || !passing(err) {
		return err
	}
	if r.policy.OnRetry != nil {
		r.policy.OnRetry(op, key, attempt, err)
	}
	bound := r.policy.Max
	if doublings := min(attempt-1, 62); r.policy.Base < bound>>doublings { // which cannot overflow
		bound = r.policy.Base << doublings
	}
	timer := time.NewTimer(rand.N(bound))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx, err)
	}
}

// ended adds to err that ctx is over, which is why err stands.
func ended(ctx context.Context, err error) error {
	if !passing(err) {
		return err
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // one deeper inside is part of another's message
		return &Error{e.Op, e.URL, e.Key, errors.Join(ctx.Err(), e.Err)}
	}
	return errors.Join(ctx.Err(), err)
}

// final lists the errors that another attempt would meet again.
var final = []error{
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, ErrChanged, ErrDamaged,
	context.Canceled, context.DeadlineExceeded,
}

// passing tells whether another attempt could succeed.
func passing(err error) bool {
	if errors.As(err, new(*finalError)) {
		return false
	}
	if errors.Is(err, ErrThrottled) {
		return true
	}
	for _, f := range final {
		if errors.Is(err, f) {
			return false
		}
	}
	return true
}

// finalError marks an error that must not be tried again, whatever is inside: one of the data that a caller gave to Put,
// which may be read from another store, or a PutNew whose outcome stays unknown.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// source marks the errors of a caller's data.
type source struct{ r io.Reader }

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = &finalError{err}
	}
	return n, err
}
