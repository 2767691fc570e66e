package awslambda

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// events reads the bytes in a response stream. Its Close ends the invocation, if that is not over.
type events struct {
	i      *invocation
	stream *lambda.InvokeWithResponseStreamEventStream
	rest   []byte
	last   error // what the last event told: io.EOF, or what went wrong
	err    error
	over   atomic.Bool // the last event has come: the invocation has ended
	ended  atomic.Bool // the stream has
	closed chan struct{}
	once   sync.Once
}

func newEvents(i *invocation, s *lambda.InvokeWithResponseStreamEventStream) *events {
	return &events{i: i, stream: s, closed: make(chan struct{})}
}

// Read implements [io.Reader]. It returns at once when the caller's context or the reply ends: the connection need not.
func (e *events) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		select {
		case event, more := <-e.stream.Events():
			e.take(event, more)
		case <-e.i.ctx.Done():
			return 0, context.Cause(e.i.ctx)
		case <-e.closed:
			return 0, errClosed
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// take takes the next event. After the last one the stream's end is waited for, so that its connection can be used again.
func (e *events) take(event types.InvokeWithResponseStreamResponseEvent, more bool) {
	switch event := event.(type) {
	case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
		e.rest = event.Value.Payload
	case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
		e.over.Store(true)
		e.last = io.EOF
		if v := event.Value; v.ErrorCode != nil {
			e.last = crash(e.i.function, *v.ErrorCode, aws.ToString(v.ErrorDetails), tail(v.LogResult))
		}
	}
	if more {
		return
	}
	e.ended.Store(true)
	if e.err = e.last; e.err != nil {
		return
	}
	if e.err = e.stream.Err(); e.err == nil {
		e.err = fmt.Errorf("the stream ends without its last event: %w", io.ErrUnexpectedEOF)
	}
}

// Close implements [io.Closer]. It returns when the worker is free, or given up.
func (e *events) Close() error {
	e.once.Do(func() {
		close(e.closed)
		if !e.over.Load() && !e.ended.Load() {
			e.drain()
		}
		e.i.finish(e.over.Load())
		_ = e.stream.Close() // it repeats what Read has told, or that nobody read on
	})
	return nil
}

// drain waits for the end of an invocation that nobody listens to any more.
func (e *events) drain() {
	e.i.halt()
	for !e.over.Load() {
		select {
		case event, more := <-e.stream.Events():
			if _, last := event.(*types.InvokeWithResponseStreamResponseEventMemberInvokeComplete); last {
				e.over.Store(true)
			}
			if !more {
				return
			}
		case <-e.i.own.Done():
			return
		}
	}
}
