package supervisor

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/gowren/gowren/storage"
)

// Stop asks the supervisor that serves the invocation to stop it, and returns when it has, or at the end of ctx. It leaves
// nothing in the bucket: a supervisor that has not looked by then will not stop.
func Stop(ctx context.Context, b storage.Bucket, id string, look time.Duration) error {
	if err := Cancel(ctx, b, id); err != nil {
		return err
	}
	for ticks := time.NewTicker(look); ; {
		select {
		case <-ctx.Done():
			ticks.Stop()
			return b.Delete(context.WithoutCancel(ctx), canceledKey(id))
		case <-ticks.C:
		}
		if _, err := b.Stat(ctx, canceledKey(id)); errors.Is(err, fs.ErrNotExist) {
			ticks.Stop()
			return nil
		}
	}
}
