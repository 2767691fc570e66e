package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/gowren/gowren/storage"
)

// Stop asks the supervisor that serves an invocation to stop it, and returns when the invocation has ended; at the end of
// ctx it cuts the connection. It leaves nothing in the bucket: a supervisor that has not looked by then will not stop.
func Stop(ctx context.Context, b storage.Bucket, id string, ended <-chan struct{}, cut func()) error {
	err := Cancel(ctx, b, id)
	if err == nil {
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
	cut()
	<-ended
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, Uncancel(ctx, b, id))
}
