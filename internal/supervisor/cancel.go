package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gowren/gowren/storage"
)

// canceledKey is the object by which a driver cancels an invocation that it has no connection to.
func canceledKey(id string) string { return "canceled/" + id }

// Cancel asks the supervisor that serves the invocation to stop it. One that polls finds it within its interval.
func Cancel(ctx context.Context, b storage.Bucket, id string) error {
	if err := b.Put(ctx, canceledKey(id), bytes.NewReader(nil)); err != nil {
		return fmt.Errorf("cancel the invocation %s: %w", id, err)
	}
	return nil
}

// Uncancel takes back what Cancel left, where the invocation ended before its supervisor looked.
func Uncancel(ctx context.Context, b storage.Bucket, id string) error {
	if err := b.Delete(ctx, canceledKey(id)); err != nil {
		return fmt.Errorf("delete the word to cancel the invocation %s: %w", id, err)
	}
	return nil
}

// polls looks for the driver's word, at once every interval at first and then less often: a call that has run for long
// can run a little longer.
func (r *Relay) polls(done <-chan struct{}, every time.Duration) {
	ctx, cancel := context.WithCancel(r.ctx) // the reply's end does not wait for a look
	defer cancel()
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	for wait := every; ; wait = min(wait*5/4, 8*every) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		b, err := r.s.bucket.get(ctx)
		if err != nil {
			continue // without a bucket there is no word; the next look may have one
		}
		if _, err = b.Stat(ctx, canceledKey(r.call.ID)); errors.Is(err, fs.ErrNotExist) || err != nil {
			continue
		}
		r.cancel(fmt.Errorf("the driver cancelled the invocation: %w", context.Canceled))
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = b.Delete(ctx, canceledKey(r.call.ID)) // one that stays is deleted by mapper.Clean
		return
	}
}
