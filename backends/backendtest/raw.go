package backendtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// rawCases: what the comments of backends.Backend say, one sentence after another.
var rawCases = []testCase{
	{name: "raw/reply", run: func(t *testing.T, h *harness) {
		h.prepare(t)
		for range 3 {
			h.wantReply(t, 5)
		}
	}},
	{name: "raw/limits are stable", run: func(t *testing.T, h *harness) {
		h.prepare(t)
		before := h.backend.Limits()
		h.wantReply(t, 3)
		if after := h.backend.Limits(); after != before {
			t.Errorf("limits were %+v, and are %+v", before, after)
		}
		if before.Concurrency < 2 || before.CPUs < 1 {
			t.Errorf("limits %+v: the suite needs two workers", before)
		}
	}},
	{name: "raw/cancelled before", run: func(t *testing.T, h *harness) {
		h.prepare(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.backend.Invoke(ctx, doing("obey", h.dir, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("Invoke: %v, want context.Canceled", err)
		}
		if n := len(h.marks(t, "begun")); n > 0 {
			t.Error("a request with a cancelled context was begun")
		}
	}},
	{name: "raw/waits for a free worker", cancels: true, run: func(t *testing.T, h *harness) {
		h.prepare(t)
		n := h.backend.Limits().Concurrency
		var replies []io.ReadCloser
		for range n {
			replies = append(replies, h.invoke(t, doing("obey", h.dir, 1)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if r, err := h.backend.Invoke(ctx, doing("", "", 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Invoke with all workers taken: %v, %v, want to wait", r, err)
		}
		h.awaitMarks(t, "begun", n)
		for _, r := range replies { // frees the workers
			if err := r.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		for range 2 * n {
			h.wantReply(t, 2)
		}
	}},
	{name: "raw/cancelled in the middle", cancels: true, run: func(t *testing.T, h *harness) {
		h.prepare(t)
		ctx, cancel := context.WithCancel(t.Context())
		r, err := h.backend.Invoke(ctx, doing("obey", h.dir, 1))
		if err != nil {
			t.Fatal(err)
		}
		h.awaitMarks(t, "begun", 1)
		cancel()
		_, err = io.ReadAll(r)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Read: %v, want context.Canceled", err)
		}
		if _, again := r.Read(make([]byte, 10)); again == nil || again == io.EOF || err != nil && again.Error() != err.Error() {
			t.Errorf("Read after %v: %v", err, again)
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if n, err := r.Read(make([]byte, 10)); n > 0 || err == nil || err == io.EOF {
			t.Errorf("Read after Close: %d, %v", n, err)
		}
		h.wantReply(t, 4)
	}},
	{name: "raw/closed before the end", cancels: true, run: func(t *testing.T, h *harness) {
		h.prepare(t)
		for range 5 {
			r := h.invoke(t, doing("", "", 1000))
			if _, err := r.Read(make([]byte, 1)); err != nil {
				t.Errorf("Read: %v", err)
			}
			if err := r.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if n, err := r.Read(make([]byte, 10)); n > 0 || err == nil {
				t.Errorf("Read after Close: %d, %v", n, err)
			}
		}
		h.wantReply(t, 4)
	}},
	{name: "raw/frames come as they are made", cancels: true, run: func(t *testing.T, h *harness) {
		h.prepare(t)
		r := h.invoke(t, request("backendtest/do", doTypes, order{N: 1}, order{What: "obey", Dir: h.dir}))
		var frames wire.Reader
		frames.Reset(r)
		if kind, _, err := frames.Next(); err != nil || kind != wire.TypeResult {
			t.Errorf("while the second task runs, a frame of type %d came, %v", kind, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}},
	{name: "raw/close with an open reply", cancels: true, run: func(t *testing.T, h *harness) {
		h.prepare(t)
		r := h.invoke(t, doing("obey", h.dir, 1))
		h.awaitMarks(t, "begun", 1)
		if err := h.backend.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if h.backend.Limits().Isolates && !h.backend.Limits().Remote && !h.options.Outlives {
			awaitGone(t, h.marks(t, "begun")...)
		}
		_, _ = io.Copy(io.Discard, r)
		if err := r.Close(); err != nil {
			t.Errorf("Close of the reply: %v", err)
		}
		if _, err := h.backend.Invoke(t.Context(), doing("", "", 1)); !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("Invoke after Close: %v, want backends.ErrInvalid", err)
		}
		if err := h.backend.Close(); err != nil {
			t.Errorf("Close twice: %v", err)
		}
	}},
	{name: "raw/refused", run: func(t *testing.T, h *harness) {
		h.prepare(t)
		h.wantRefused(t, request("backendtest/none", doTypes, order{}), `"backendtest/none"`, "backendtest/do", "backendtest/echo")
		h.wantRefused(t, request("backendtest/do", "func(string) bool", order{}), "backendtest/do", "func(string) bool", doTypes, "functions.go")
		h.wantReply(t, 2)
	}},
	{name: "raw/another version", run: func(t *testing.T, h *harness) {
		h.prepare(t)
		r := doing("", "", 1)
		r.Body[4] = wire.Version + 1
		h.wantRefused(t, r, "version")
		h.wantReply(t, 2)
	}},
	{name: "raw/broken requests", run: func(t *testing.T, h *harness) {
		h.prepare(t)
		whole := doing("", "", 3).Body
		for _, at := range []int{0, 4, 5, 6, 12, 40, len(whole) - 1} {
			body := append([]byte{}, whole...)
			body[at] ^= 0x55
			h.wantBroken(t, fmt.Sprintf("byte %d changed", at), body)
		}
		for _, n := range []int{0, 1, 9, 10, len(whole) - 1} {
			h.wantBroken(t, fmt.Sprintf("cut to %d bytes", n), whole[:n])
		}
		h.wantBroken(t, "something follows", append(append([]byte{}, whole...), 1))
		h.wantBroken(t, "another kind of frame", wire.AppendFrame(nil, wire.TypeEnd, nil))
		h.wantBroken(t, "a bad payload", wire.AppendFrame(nil, wire.TypeRequest, []byte("\xff\xff\xff\xff\xff")))
		h.wantReply(t, 2)
	}},
}

func (h *harness) prepare(t *testing.T) {
	t.Helper()
	if err := h.backend.Prepare(t.Context(), backends.Deployment{Bucket: h.bucket, Program: os.Getenv("GOWREN_PROGRAM")}); err != nil {
		t.Fatalf("Prepare: %v", err)
	}
}

func (h *harness) invoke(t *testing.T, r backends.Request) io.ReadCloser {
	t.Helper()
	reply, err := h.backend.Invoke(t.Context(), r)
	if err != nil {
		t.Fatalf("Invoke: %v", err)
	}
	return reply
}

var doTypes = registry.Find("backendtest/do").Types

// request makes one of the tasks.
func request(function, types string, tasks ...order) backends.Request {
	r := wire.Request{Job: "raw", Function: function, Types: types, Inline: 1 << 20, Prefix: "jobs/raw"}
	for i, o := range tasks {
		data, err := serialize.Marshal(o)
		if err != nil {
			panic(err)
		}
		r.Tasks = append(r.Tasks, wire.Task{Index: int64(i), Attempt: 1, Data: data})
	}
	return backends.Request{Body: wire.AppendRequest(nil, &r)}
}

// doing makes a request of n equal tasks.
func doing(what, dir string, n int) backends.Request {
	tasks := make([]order, n)
	for i := range tasks {
		tasks[i] = order{What: what, Dir: dir}
	}
	return request("backendtest/do", doTypes, tasks...)
}

// wantReply checks that a request of n tasks has a complete reply.
func (h *harness) wantReply(t *testing.T, n int) {
	t.Helper()
	r := h.invoke(t, doing("", "", n))
	defer r.Close()
	var frames wire.Reader
	frames.Reset(r)
	results := 0
	for {
		kind, payload, err := frames.Next()
		if err != nil {
			t.Fatalf("after %d results: %v", results, err)
		}
		if kind == wire.TypeResult {
			results++
			continue
		}
		var end wire.End
		err = wire.DecodeEnd(payload, &end)
		if kind != wire.TypeEnd || err != nil || results != n || end.Ran != n {
			t.Fatalf("after %d of %d results a frame of type %d: %+v, %v", results, n, kind, end, err)
		}
		break
	}
	if _, _, err := frames.Next(); err != io.EOF {
		t.Fatalf("after the last frame: %v, want io.EOF", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// nextButLogs returns the next frame that is no line of a log.
func nextButLogs(frames *wire.Reader) (wire.Type, []byte, error) {
	for {
		if kind, payload, err := frames.Next(); kind != wire.TypeLog {
			return kind, payload, err
		}
	}
}

// wantRefused checks that the worker answers that it cannot serve, and why.
func (h *harness) wantRefused(t *testing.T, r backends.Request, words ...string) {
	t.Helper()
	reply := h.invoke(t, r)
	defer reply.Close()
	var frames wire.Reader
	frames.Reset(reply)
	kind, payload, err := nextButLogs(&frames)
	if err != nil || kind != wire.TypeRefused {
		t.Fatalf("a frame of type %d, %v, want a refusal", kind, err)
	}
	reason, err := wire.DecodeRefused(payload)
	if err != nil {
		t.Error(err)
	}
	for _, w := range words {
		if !strings.Contains(reason, w) {
			t.Errorf("the reason %q lacks %q", reason, w)
		}
	}
}

// wantBroken checks that what is no request ends in an error or a refusal, and soon.
func (h *harness) wantBroken(t *testing.T, what string, body []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	reply, err := h.backend.Invoke(ctx, backends.Request{Body: body})
	if err == nil {
		defer reply.Close()
		var frames wire.Reader
		frames.Reset(reply)
		var kind wire.Type
		if kind, _, err = nextButLogs(&frames); err == nil && kind != wire.TypeRefused {
			t.Errorf("%s: a frame of type %d", what, kind)
		}
	}
	if ctx.Err() != nil {
		t.Errorf("%s: nothing comes", what)
	}
}
