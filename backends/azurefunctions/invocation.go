package azurefunctions

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"

	"github.com/gowren/gowren/backends"
)

// Invoke implements [backends.Backend]. The front counts from a request's arrival: the wait for an instance, and its start,
// are in its time. So the time is taken here, where the worker could not know of them.
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	p, err := b.ready()
	if err != nil {
		return nil, err
	}
	ctx, leave, err := p.gate.Enter(ctx)
	if err != nil {
		return nil, err
	}
	call := p.call
	call.ID, call.Body = rand.Text(), r.Body
	limit := b.patience.invoke
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &backends.LostError{Worker: p.app, Ran: limit, Cause: fmt.Errorf(
		"azurefunctions: the invocation was ended %v after it was sent, since Azure's front would do so soon; its wait for an instance, and that one's start, are in that time: make tasks smaller: %w",
		limit, backends.ErrTimeout)})
	lost := func(err error) { b.words.Leave(ctx, p.bucket, call.ID, err) }
	reply, err := p.client.Invoke(ctx, call, func() { cancel(); leave() })
	if err != nil {
		lost(err)
		return nil, err
	}
	return &invocation{ReadCloser: reply, lost: lost}, nil
}

// invocation is a reply. Of work whose connection broke it is not known whether it has ended: it is told to stop through
// the bucket.
type invocation struct {
	io.ReadCloser
	lost func(error)
	once sync.Once
}

func (v *invocation) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	if err != nil {
		v.once.Do(func() { v.lost(err) })
	}
	return n, err
}
