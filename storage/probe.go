package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// Probe finds out whether a bucket can be used: it stores a small object below probe/, refuses to store it anew, reads,
// lists and deletes it. Its error is the first that a step met. It makes one attempt at each, six requests in all, and
// takes half a minute at most.
func Probe(ctx context.Context, b Bucket) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTime, fmt.Errorf("%s did not answer within %v: is the endpoint right, and can it be reached from here?", b.URL(), probeTime))
	defer cancel()
	key, data := "probe/"+rand.Text(), []byte("gowren was here")
	defer func() {
		if err != nil && context.Cause(ctx) != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
	}()
	if err := b.PutNew(ctx, key, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("storage: probe: write: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime/3)
		defer cancel()
		if deleted := b.Delete(ctx, key); deleted != nil && err == nil {
			err = fmt.Errorf("storage: probe: delete: %w", deleted)
		}
	}()
	switch err := b.PutNew(ctx, key, bytes.NewReader(data)); {
	case err == nil:
		return fmt.Errorf("storage: probe: %s stored an object anew where it was to refuse: it cannot hold what is committed once", b.URL())
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("storage: probe: write: %w", err)
	}
	r, err := b.Get(ctx, key, 0, -1)
	if err == nil {
		var got []byte
		got, err = io.ReadAll(io.LimitReader(r, int64(len(data))+1))
		err = errors.Join(err, r.Close())
		if err == nil && !bytes.Equal(got, data) {
			err = ErrDamaged
		}
	}
	if err != nil {
		return fmt.Errorf("storage: probe: read: %w", err)
	}
	for o, err := range b.List(ctx, key) {
		if err != nil {
			return fmt.Errorf("storage: probe: list: %w", err)
		}
		if o.Key == key {
			return nil
		}
	}
	return fmt.Errorf("storage: probe: %s does not list what was stored in it", b.URL())
}

const probeTime = 30 * time.Second
