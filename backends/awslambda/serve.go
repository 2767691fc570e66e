package awslambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
)

// poll is how often an invocation looks at first whether it was cancelled.
const poll = time.Second

// worker is the supervisor in a function: it takes one invocation after the other.
type worker struct {
	backends.Worker
	api        *runtimeAPI
	supervisor *supervisor.Supervisor
}

// serve is the role.
func serve(ctx context.Context, w backends.Worker, e environment) error {
	api := newRuntime(e.api)
	if e.problem != nil {
		return errors.Join(e.problem, api.failInit(ctx, "Gowren.Start", e.problem))
	}
	w.Program = e.program
	s := supervisor.New(supervisor.Config{
		Name: e.name, Bucket: w.Bucket, Own: w.Program, CPUs: cpusOf(e.memoryMB), Memory: int64(e.memoryMB-reserve(e.memoryMB)) << 20,
		Beat: beat, Poll: poll, Log: printLine,
	})
	wk := &worker{w, api, s}
	for {
		v, err := api.next(ctx)
		if err == nil {
			err = wk.handle(ctx, v)
		}
		if err != nil {
			return errors.Join(err, s.Close())
		}
	}
}

// printLine is where the lines go that children print and no driver takes: to the group of logs.
func printLine(worker, line string) { fmt.Fprintf(os.Stderr, "%s: %s\n", worker, line) }

// reserve is what of a function's memory a child does not get, in MB: it is for the supervisor and the system, and for
// what the child takes between two looks at it.
func reserve(memoryMB int) int { return max(48, memoryMB/16) }

// handle serves an invocation. Its error says that the Runtime API is not to be had.
func (w *worker) handle(ctx context.Context, v event) error {
	var m message
	if err := json.Unmarshal(v.payload, &m); err != nil || m.Gowren != payloadVersion {
		return w.api.fail(ctx, v.id, "Gowren.Payload", fmt.Errorf("this function takes version %d of gowren's payloads, and not %.100q", payloadVersion, v.payload))
	}
	if m.Ping {
		return w.pong(ctx, v, m)
	}
	left := time.Until(v.deadline)
	limited, cancel := context.WithDeadlineCause(ctx, v.deadline.Add(-margin(left)), fmt.Errorf("%w: the function's (the timeout parameter)", backends.ErrTimeout))
	defer cancel()
	if m.Reply == replyStream {
		return w.stream(ctx, limited, v.id, m)
	}
	return w.whole(ctx, limited, v.id, m, v.deadline)
}

// pong answers a ping.
func (w *worker) pong(ctx context.Context, v event, m message) error {
	if m.Hold > 0 {
		if err := wait(ctx, time.Duration(m.Hold)*time.Millisecond); err != nil {
			return err
		}
	}
	s := status{Gowren: payloadVersion, Protocol: wire.Version, Worker: w.supervisor.Name(), Program: w.Program, Bucket: w.Bucket}
	if m.Look {
		if err := w.look(ctx, v.deadline); err != nil {
			s.Problem, s.Refused = err.Error(), errors.Is(err, fs.ErrPermission)
		}
	}
	return w.api.answer(ctx, v.id, s)
}

// lookTime bounds a worker's look at its bucket, and the store's retries with it.
const lookTime = 10 * time.Second

// look reaches for the bucket. It ends before the function does, which could not tell of it.
func (w *worker) look(ctx context.Context, deadline time.Time) error {
	left := time.Until(deadline)
	left = min(left-margin(left), lookTime)
	ctx, cancel := context.WithTimeoutCause(ctx, left, fmt.Errorf("the store did not answer within %v", left.Round(time.Millisecond)))
	defer cancel()
	b, err := w.supervisor.Bucket(ctx)
	if err != nil {
		return err
	}
	if _, err = b.Stat(ctx, "programs/"+w.Program); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// begin begins a call. A loss stands for one that could not be begun.
func (w *worker) begin(ctx context.Context, m message) (pass func(io.Writer) error) {
	var relay *supervisor.Relay
	err := error(nil)
	if m.RequestKey != "" {
		m.Request, err = w.supervisor.FetchRequest(ctx, m.RequestKey)
	}
	if err == nil {
		relay, err = w.supervisor.Begin(ctx, supervisor.Call{ID: m.Invocation, Program: m.Program, Bucket: m.Bucket, Body: m.Request})
	}
	if err == nil {
		return relay.Pass
	}
	return func(out io.Writer) error {
		_, err := out.Write(wire.AppendLost(nil, supervisor.Loss(w.supervisor.Name(), err, 0)))
		return err
	}
}

// stream serves a call whose reply is the function's response stream.
func (w *worker) stream(ctx, limited context.Context, id string, m message) error {
	pass := w.begin(limited, m)
	out, in := io.Pipe()
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		_ = in.CloseWithError(pass(in)) // the reader has it
	}()
	err := w.api.stream(ctx, id, out)
	_ = out.CloseWithError(io.ErrClosedPipe) // it always succeeds; what is still passed on has nowhere to go
	<-passed
	if err != nil { // the platform has cut this reply, and may give the next invocation all the same
		printLine(w.supervisor.Name(), err.Error())
	}
	return nil
}

// whole serves a call whose reply is an answer, or an object in the bucket.
func (w *worker) whole(ctx, limited context.Context, id string, m message, deadline time.Time) error {
	reply, begun := supervisor.NewSpool(inlineReply), time.Now()
	defer reply.Close()
	err := w.begin(limited, m)(reply)
	if err != nil {
		err = fmt.Errorf("the reply cannot be kept: %w", err) // the folder for temporary files is full, as a rule
	} else {
		frames, inMemory := reply.Bytes()
		if m.Reply == replyInline && inMemory {
			return w.api.answer(ctx, id, answer{Gowren: payloadVersion, Frames: frames})
		}
		left := time.Until(deadline)
		err = w.store(ctx, m.ReplyKey, reply, deadline.Add(-margin(left)/2))
	}
	if err != nil {
		printLine(w.supervisor.Name(), err.Error())
	}
	if err != nil && m.Reply == replyKey { // of a detached call nobody else is told: what is small may find room
		lost := supervisor.NewSpool(inlineReply)
		_, _ = lost.Write(wire.AppendLost(nil, supervisor.Loss(w.supervisor.Name(), err, time.Since(begun)))) // into memory
		err = w.store(ctx, m.ReplyKey, lost, deadline)
	}
	if err != nil {
		return w.api.fail(ctx, id, "Gowren.Store", err)
	}
	return w.api.answer(ctx, id, answer{Gowren: payloadVersion, Key: m.ReplyKey})
}

// store puts a reply into the bucket. It goes on for a while, and not after the deadline: a driver that waits for the reply
// is told of its loss by nobody.
func (w *worker) store(ctx context.Context, key string, reply *supervisor.Spool, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	latest := time.Now().Add(storeTime)
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := w.supervisor.StoreReply(ctx, key, reply)
		if err == nil || errors.Is(err, fs.ErrPermission) || time.Until(latest) < pause || time.Until(deadline) < pause {
			return err
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// storeTime bounds the time to store a reply.
const storeTime = 2 * time.Minute
