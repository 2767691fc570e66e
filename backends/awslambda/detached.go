package awslambda

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/supervisor"
)

// detached is the invocation that needs no connection while it runs: its reply comes through the bucket. It may stay there.
// Begin is as that of a request.
func (i *invocation) detached(m message, prefix string, stays bool, begin func(context.Context) error) (io.ReadCloser, error) {
	if err := i.detachable(i.own); err != nil {
		return i.fail(err, true)
	}
	m.Reply, m.ReplyKey = replyKey, i.key(prefix, "replies")
	if !stays {
		i.keys = append(i.keys, m.ReplyKey)
	}
	if len(m.Request) > maxEvent {
		m.RequestKey = i.key(prefix, "requests")
		i.keys = append(i.keys, m.RequestKey)
		if err := i.bucket.Put(i.own, m.RequestKey, bytes.NewReader(m.Request)); err != nil {
			return i.fail(fmt.Errorf("awslambda: the request goes through the bucket: %w", err), true)
		}
		m.Request = nil
	}
	if begin != nil {
		if err := begin(i.ctx); err != nil {
			return i.fail(err, true)
		}
	}
	_, err := i.aws.invoke.Invoke(i.own, &lambda.InvokeInput{
		FunctionName: &i.function, Payload: m.encode(), InvocationType: types.InvocationTypeEvent,
	})
	if err != nil {
		return i.refused(err)
	}
	return i.reply(newStored(i, m.ReplyKey, time.Now().Add(i.b.Lasts())), 0), nil
}

// Attach implements [backends.Attacher].
func (b *Backend) Attach(ctx context.Context, a backends.Attached) (io.ReadCloser, error) {
	i, err := b.begin(ctx, a.ID, (*supervisor.Gate).Pass, a.Alive)
	if err != nil {
		return nil, err
	}
	s := newStored(i, i.key(a.Prefix, "replies"), a.Until)
	s.looks = a.Once
	return i.reply(s, 0), nil
}

// Lasts implements [backends.Attacher]: the platform may take some time to begin, and the function as long as it may.
func (b *Backend) Lasts() time.Duration { return b.config.Timeout + eventAge*time.Second + grace }

// detachable sees to it, once, that Lambda makes one attempt at asynchronous invocations.
func (p *prepared) detachable(ctx context.Context) error {
	p.events.Lock()
	defer p.events.Unlock()
	if p.configured {
		return nil
	}
	err := configureEvents(ctx, p.aws, p.function)
	p.configured = err == nil
	return err
}

// looksAtOnce is how many requests to the store look for replies at once.
const looksAtOnce = 32

// grace is how long after the last moment that a function can end its reply may show itself in the bucket.
const grace = 30 * time.Second

// stored reads a reply that will be in the bucket.
type stored struct {
	i     *invocation
	key   string
	until time.Time       // the last moment at which it may come
	looks bool            // once, and does not wait
	ctx   context.Context // ends with the reply, too
	end   context.CancelFunc

	mu      sync.Mutex // held while the reply is waited for and while it is read
	reply   io.ReadCloser
	missing bool // it was waited for in vain
	once    sync.Once
}

func newStored(i *invocation, key string, until time.Time) *stored {
	s := &stored{i: i, key: key, until: until}
	s.ctx, s.end = context.WithCancel(i.ctx)
	return s
}

// Read implements [io.Reader].
func (s *stored) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reply == nil {
		wait := time.Until(s.until)
		if s.looks {
			wait = 0
		}
		r, err := supervisor.AwaitReply(s.ctx, s.i.bucket, s.key, wait, s.i.b.looks)
		if err != nil {
			s.missing = s.ctx.Err() == nil
			return 0, err
		}
		s.reply = r
	}
	n, err := s.reply.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", backends.ErrUnread, err)
	}
	return n, err
}

// Close implements [io.Closer]. Before the reply is there it ends the invocation.
func (s *stored) Close() error {
	var err error
	s.once.Do(func() {
		s.end()
		s.mu.Lock()
		defer s.mu.Unlock()
		over := s.reply != nil
		switch {
		case over:
			err = s.reply.Close()
		case !s.missing:
			s.i.halt()
			if r, missing := supervisor.AwaitReply(s.i.own, s.i.bucket, s.key, patience, s.i.b.looks); missing == nil {
				over = true
				err = r.Close()
			}
		}
		s.i.finish(over || s.missing && time.Now().After(s.until)) // when nothing runs any more, no word is left
	})
	return err
}
