package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Put tries again where data can be set back.
func (r *retrying) Put(ctx context.Context, key string, data io.Reader) error {
	src, rewind := rewinder(data)
	return r.put(ctx, "put", key, rewind, func() error { return r.b.Put(ctx, key, src) })
}

// PutNew tries again where data can be set back, and knows its own object when it meets it.
func (r *retrying) PutNew(ctx context.Context, key string, data io.Reader) error {
	src, rewind := rewinder(data)
	unknown := false // an earlier attempt failed, and may have stored the object all the same
	return r.put(ctx, "putnew", key, rewind, func() error {
		err := r.b.PutNew(ctx, key, src)
		switch {
		case err == nil:
			return nil
		case unknown && errors.Is(err, fs.ErrExist):
			if e := rewind(); e != nil {
				return e
			}
			same, e := r.holds(ctx, key, src)
			if e != nil {
				e = fmt.Errorf("whether this or another call made the object is not known: %w", e)
				return &Error{"putnew", r.URL(), key, &finalError{e}}
			}
			if same {
				return nil
			}
		case !errors.Is(err, ErrThrottled): // who is throttled has stored nothing
			unknown = true
		}
		return err
	})
}

// put runs the attempts of a Put or a PutNew. Without a rewind there is one.
func (r *retrying) put(ctx context.Context, op, key string, rewind func() error, try func() error) error {
	if rewind == nil {
		return try()
	}
	first := true
	return r.do(ctx, op, key, func() error {
		if !first {
			if err := rewind(); err != nil {
				return err
			}
		}
		first = false
		return try()
	})
}

// rewinder wraps data so that its errors are known from the store's, and returns what sets it back to where it is now,
// or nil where it cannot be set back, as a pipe.
func rewinder(data io.Reader) (io.Reader, func() error) {
	seeker, ok := data.(io.Seeker)
	if !ok {
		return data, nil
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return data, nil
	}
	rewind := func() error {
		if _, err := seeker.Seek(start, io.SeekStart); err != nil {
			return &finalError{err}
		}
		return nil
	}
	return struct {
		io.Reader
		io.Seeker
	}{&source{data}, seeker}, rewind
}

// holds tells whether the object has the bytes of data. It reads both no further than to their first difference.
func (r *retrying) holds(ctx context.Context, key string, data io.Reader) (bool, error) {
	object, err := r.Get(ctx, key, 0, -1)
	if err != nil {
		return false, err
	}
	defer object.Close()
	const chunk = 64 << 10
	mine, theirs := make([]byte, chunk), make([]byte, chunk)
	for {
		n, err1 := io.ReadFull(data, mine)
		m, err2 := io.ReadFull(object, theirs)
		for _, err := range []error{err1, err2} {
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { // a wrapped io.EOF is a lost connection
				return false, err
			}
		}
		if !bytes.Equal(mine[:n], theirs[:m]) {
			return false, nil
		}
		if n < chunk {
			return true, nil
		}
	}
}
