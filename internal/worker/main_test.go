package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// call is what a test has a function do; it appends its result to nothing.
type call func(ctx context.Context, shared any, in registry.Input) ([]byte, error)

// register makes a function known under the test's name.
func register(t *testing.T, f call) *registry.Function {
	t.Helper()
	r := &registry.Function{
		Name: t.Name(), Types: "func(bytes) bytes", Where: "main_test.go:1",
		Call: func(ctx context.Context, _ *serialize.Coder, shared any, in registry.Input, dst []byte) ([]byte, error) {
			out, err := f(ctx, shared, in)
			return append(dst, out...), err
		},
	}
	registry.Add(r)
	return r
}

func echo(_ context.Context, _ any, in registry.Input) ([]byte, error) { return in.Data, nil }

// newWorker returns a worker with an empty bucket.
func newWorker(t *testing.T, cpus int) (*Worker, storage.Bucket) {
	t.Helper()
	b := memstore.New()
	w := New(cpus, func(context.Context) (storage.Bucket, error) { return b, nil })
	t.Cleanup(func() {
		w.Close()
		memstore.Delete(b.Name())
	})
	return w, b
}

// request is one of the test's function.
func request(t *testing.T, inputs ...string) *wire.Request {
	r := &wire.Request{Job: "job", Function: t.Name(), Types: "func(bytes) bytes", Inline: 1 << 10, Prefix: "jobs/job"}
	for i, in := range inputs {
		r.Tasks = append(r.Tasks, wire.Task{Index: int64(100 + i), Attempt: 1, Data: []byte(in)})
	}
	return r
}

// reply is what came of a request.
type reply struct {
	results map[int]string
	stored  map[int]wire.Stored
	failed  map[int]wire.Failure
	logs    []wire.Log
	last    wire.Type
	end     wire.End
	refused string
	err     error // of Serve
}

func serve(t *testing.T, w *Worker, r *wire.Request) reply {
	t.Helper()
	return serveCtx(t.Context(), t, w, r)
}

func serveCtx(ctx context.Context, t *testing.T, w *Worker, r *wire.Request) reply {
	t.Helper()
	var out bytes.Buffer
	err := w.Serve(ctx, wire.AppendRequest(nil, r), &out)
	got := decode(t, &out)
	got.err = err
	return got
}

// decode reads a whole reply.
func decode(t *testing.T, src io.Reader) reply {
	t.Helper()
	got := reply{results: map[int]string{}, stored: map[int]wire.Stored{}, failed: map[int]wire.Failure{}}
	var frames wire.Reader
	frames.Reset(src)
	for {
		kind, payload, err := frames.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if got.last != 0 {
			t.Fatalf("a frame of type %d follows the last one", kind)
		}
		switch kind {
		case wire.TypeResult:
			var position int
			var value []byte
			position, value, err = wire.DecodeResult(payload)
			got.results[position] = string(value)
		case wire.TypeStored:
			var s wire.Stored
			s, err = wire.DecodeStored(payload)
			got.stored[s.Position] = s
		case wire.TypeFailed:
			var f wire.Failure
			f, err = wire.DecodeFailed(payload)
			got.failed[f.Position] = f
		case wire.TypeLog:
			var l wire.Log
			l, err = wire.DecodeLog(payload)
			got.logs = append(got.logs, l)
		case wire.TypeEnd, wire.TypeLeave:
			got.last = kind
			err = wire.DecodeEnd(payload, &got.end)
		case wire.TypeRefused:
			got.last = kind
			got.refused, err = wire.DecodeRefused(payload)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// want checks that all n tasks have results, and the reply a good end.
func (r reply) want(t *testing.T, n int) {
	t.Helper()
	if r.err != nil || r.last != wire.TypeEnd || r.end.Ran != n || len(r.results)+len(r.stored) != n {
		t.Fatalf("%d results of %d tasks, failures %v, end %d %+v, refused %q, error %v", len(r.results), n, r.failed, r.last, r.end, r.refused, r.err)
	}
}

// wantFailed checks one failure.
func (r reply) wantFailed(t *testing.T, position int, cause wire.Cause, again bool, words ...string) {
	t.Helper()
	f, ok := r.failed[position]
	if !ok || f.Cause != cause || f.Again != again {
		t.Errorf("task %d: failure %+v, there: %t, want cause %d, again: %t; refused %q", position, f, ok, cause, again, r.refused)
	}
	for _, w := range words {
		if !strings.Contains(f.Message+f.Stack, w) {
			t.Errorf("task %d: the failure lacks %q: %+v", position, w, f)
		}
	}
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func put(t *testing.T, b storage.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

var errTest = errors.New("no such luck")
