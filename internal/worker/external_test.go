package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

const types = "func(bytes) bytes"

// call is a function as the tests write it: from the input's bytes to the result's.
type call func(ctx context.Context, in registry.Input) ([]byte, error)

var registered atomic.Int64

// register adds a function under a name of its own, also when a test runs several times.
func register(name string, f call) string {
	return registerShared(name, nil, func(ctx context.Context, _ any, in registry.Input) ([]byte, error) { return f(ctx, in) })
}

func registerShared(name string, shared func(*serialize.Coder, []byte) (any, error),
	f func(ctx context.Context, shared any, in registry.Input) ([]byte, error),
) string {
	name = fmt.Sprintf("%s-%d", name, registered.Add(1))
	registry.Add(&registry.Function{
		Name: name, Types: types, Where: "external_test.go:1", Shared: shared,
		Call: func(ctx context.Context, _ *serialize.Coder, shared any, in registry.Input, dst []byte) ([]byte, error) {
			out, err := f(ctx, shared, in)
			return append(dst, out...), err
		},
	})
	return name
}

func echo(_ context.Context, in registry.Input) ([]byte, error) { return in.Data, nil }

// request has a task for each input, with indices from 100 on.
func request(function string, inputs ...string) *wire.Request {
	r := &wire.Request{Job: "job", Function: function, Types: types, Inline: 1 << 20, Prefix: "jobs/job"}
	for i, in := range inputs {
		r.Tasks = append(r.Tasks, wire.Task{Index: int64(100 + i), Attempt: 1, Data: []byte(in)})
	}
	return r
}

// newWorker makes a worker that is closed with the test. Its bucket is empty.
func newWorker(t *testing.T, cpus int) (*worker.Worker, *memstore.Bucket) {
	t.Helper()
	b := memstore.New()
	w := worker.New(cpus, func(context.Context) (storage.Bucket, error) { return b, nil })
	t.Cleanup(func() {
		w.Close()
		memstore.Delete(b.Name())
	})
	return w, b
}

func put(t *testing.T, b storage.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

// reply is a whole reply, decoded.
type reply struct {
	results map[int]string
	stored  map[int]wire.Stored
	failed  map[int]wire.Failure
	logs    []wire.Log
	refused string
	last    wire.Type
	end     wire.End
}

// decode checks that the reply is well-formed: one last frame, and no task answered twice.
func decode(t *testing.T, data []byte) *reply {
	t.Helper()
	p := &reply{results: map[int]string{}, stored: map[int]wire.Stored{}, failed: map[int]wire.Failure{}}
	var in wire.Reader
	in.Reset(bytes.NewReader(data))
	answered := map[int]bool{}
	answer := func(position int) {
		if answered[position] {
			t.Errorf("task %d was answered twice", position)
		}
		answered[position] = true
	}
	for {
		kind, payload, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.last != 0 {
			t.Errorf("frame %d after the last one, %d", kind, p.last)
		}
		switch kind {
		case wire.TypeResult:
			var position int
			var value []byte
			position, value, err = wire.DecodeResult(payload)
			answer(position)
			p.results[position] = string(value)
		case wire.TypeStored:
			var s wire.Stored
			s, err = wire.DecodeStored(payload)
			answer(s.Position)
			p.stored[s.Position] = s
		case wire.TypeFailed:
			var f wire.Failure
			f, err = wire.DecodeFailed(payload)
			answer(f.Position)
			p.failed[f.Position] = f
		case wire.TypeLog:
			var l wire.Log
			l, err = wire.DecodeLog(payload)
			p.logs = append(p.logs, l)
		case wire.TypeEnd, wire.TypeLeave:
			p.last = kind
			err = wire.DecodeEnd(payload, &p.end)
		case wire.TypeRefused:
			p.last = kind
			p.refused, err = wire.DecodeRefused(payload)
		default:
			t.Errorf("frame %d in a reply", kind)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if p.last == 0 {
		t.Error("the reply has no last frame")
	}
	return p
}

// serve sends a request and decodes the reply.
func serve(t *testing.T, w *worker.Worker, r *wire.Request) *reply {
	t.Helper()
	return serveFrame(t.Context(), t, w, wire.AppendRequest(nil, r), nil)
}

func serveFrame(ctx context.Context, t *testing.T, w *worker.Worker, frame []byte, want error) *reply {
	t.Helper()
	var out recorder
	if err := w.Serve(ctx, frame, &out); !errors.Is(err, want) {
		t.Errorf("Serve: %v, want %v", err, want)
	}
	return decode(t, out.bytes())
}

// recorder is a reply's writer that can be looked at while it is written.
type recorder struct {
	mu     sync.Mutex
	data   []byte
	writes int
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data = append(r.data, p...)
	r.writes++
	return len(p), nil
}

func (r *recorder) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.data)
}

// await waits until ok holds, for 5 seconds at most.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 5 s", what)
		}
	}
}
