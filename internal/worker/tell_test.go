package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
)

// TestTakenLate: what a task took that was given up, and ends while a later request is served, is not told with that.
func TestTakenLate(t *testing.T) {
	w, _ := newWorker(t, 1)
	release := make(chan struct{})
	register(t, func(_ context.Context, _ any, in registry.Input) ([]byte, error) {
		switch string(in.Data) {
		case "stuck":
			<-release
		case "release":
			close(release)
			for w.Left() > 0 {
				time.Sleep(time.Millisecond)
			}
		}
		return nil, nil
	})
	r := request(t, "", "", "stuck")
	r.Timeout = time.Millisecond
	if got := serve(t, w, r); !errors.Is(got.err, ErrLeave) || got.last != wire.TypeLeave || got.end.Times.N() != 2 {
		t.Fatalf("%+v", got)
	}
	got := serve(t, w, request(t, "release"))
	got.want(t, 1)
	if got.end.Times.N() != 1 || len(got.end.Slowest) != 1 || got.end.Slowest[0].Position != 0 {
		t.Errorf("%d tasks are timed, the slowest are %v", got.end.Times.N(), got.end.Slowest)
	}
}

// TestGivenUpInVain: a run that was given up just when its last task ended serves no further request, which would be given
// up too.
func TestGivenUpInVain(t *testing.T) {
	register(t, echo)
	w, _ := newWorker(t, 1)
	if err := w.Serve(t.Context(), wire.AppendRequest(nil, request(t, "")), givingUp{w}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		serve(t, w, request(t, "")).want(t, 1)
	}
}

// givingUp gives up what is written to it: the end of a reply, when all tasks are done.
type givingUp struct{ w *Worker }

func (g givingUp) Write(p []byte) (int, error) {
	g.w.now.stop.Do(func() { close(g.w.now.gone) })
	return len(p), nil
}
