package worker

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/registry"
)

// TestLateFrames: what comes after a reply's last frame is dropped, and said to be.
func TestLateFrames(t *testing.T) {
	var o output
	var out bytes.Buffer
	o.reset(&out)
	if err := o.close([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if o.add([]byte("late"), true) {
		t.Error("a late frame is taken")
	}
	o.flush()
	if err := o.close([]byte("end again")); err != nil || out.String() != "end" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestLogFromAside: goroutines that outlive their task may log, whenever that is.
func TestLogFromAside(t *testing.T) {
	var log *slog.Logger
	stop := make(chan struct{})
	var aside sync.WaitGroup
	register(t, func(ctx context.Context, _ any, _ registry.Input) ([]byte, error) {
		aside.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Microsecond):
					log.DebugContext(ctx, "x")
					TaskOf(ctx)
					ctx.Deadline()
					ctx.Value("a key of another type")
				}
			}
		})
		return nil, nil
	})
	w, _ := newWorker(t, 2)
	log = slog.New(w.LogHandler())
	for range 20 {
		r := request(t, "", "", "")
		r.Timeout = time.Hour
		serve(t, w, r).want(t, 3)
	}
	close(stop)
	aside.Wait()
}
