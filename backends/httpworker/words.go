package httpworker

import (
	"context"
	"time"

	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/storage"
)

// Words are left in a bucket for invocations that may run on without a connection, to stop. Workers that poll find them.
// The zero value is ready.
type Words struct{ aside supervisor.Aside }

// wordTime bounds how long a word may take, and so Close.
const wordTime = 15 * time.Second

// Leave leaves the word for an invocation that has ended with err, if it may run on. The work's tasks are tried again
// meanwhile: nobody waits for it but Close. Where it cannot be left, the work goes on in vain to its end. It is left even
// when ctx is over.
func (w *Words) Leave(ctx context.Context, b storage.Bucket, id string, err error) {
	if !Running(err) {
		return
	}
	w.aside.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wordTime)
		defer cancel()
		_ = supervisor.Cancel(ctx, storage.Retry(b, storage.RetryPolicy{}), id)
	})
}

// Wait waits for the words that are being left.
func (w *Words) Wait() { w.aside.Wait() }

// Close waits for the words that are being left. Later ones are left before Leave returns.
func (w *Words) Close() { w.aside.Close() }
