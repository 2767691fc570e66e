package awslambda

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/supervisor"
)

// beat is how often a worker that streams says that it lives.
const beat = 5 * time.Second

// silence is how long a stream may bring nothing.
const silence = 4 * beat

// Invoke implements [backends.Backend].
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	if len(r.Body) > maxRequest {
		return nil, invalid("a request of %d bytes; Lambda takes %d", len(r.Body), maxRequest)
	}
	i, err := b.begin(ctx, cmp.Or(r.ID, rand.Text()), (*supervisor.Gate).Enter, nil)
	if err != nil {
		return nil, err
	}
	m := message{Invocation: i.id, Program: i.program, Bucket: i.bucket.URL(), Request: r.Body}
	switch {
	case r.Detached:
		return i.detached(m, r.Prefix, r.ID != "", r.Begin)
	case b.config.Plain:
		return i.plain(m, r.Prefix)
	}
	return i.stream(m)
}

// entry is a method of a gate.
type entry func(*supervisor.Gate, context.Context) (context.Context, func(), error)

// begin waits until an invocation may begin, or be waited for. Alive is as that of a request that is attached to.
func (b *Backend) begin(ctx context.Context, id string, enter entry, alive func(context.Context) bool) (*invocation, error) {
	p, err := b.ready()
	if err != nil {
		return nil, err
	}
	inside, leave, err := enter(p.gate, ctx)
	if err != nil {
		return nil, err
	}
	i := &invocation{b: b, prepared: p, ctx: inside, id: id, leave: leave, alive: alive}
	// What goes on at the platform does not end with ctx, but when its worker is told. Until then the connection is
	// what tells of its end.
	i.own, i.end = context.WithCancel(context.WithoutCancel(ctx))
	i.unwatch = context.AfterFunc(inside, i.halt)
	return i, nil
}

// invocation is one under way.
type invocation struct {
	b *Backend
	*prepared
	ctx   context.Context // the caller's, which the backend's Close ends too
	id    string
	leave func()   // makes room for the next
	keys  []string // objects to delete at its end
	alive func(context.Context) bool

	own     context.Context // of the connection
	end     context.CancelFunc
	unwatch func() bool
	halting sync.Once
	halted  bool // valid after halting
	timer   *time.Timer
	done    sync.Once
}

const (
	// telling bounds the time to write that an invocation is cancelled, and to delete what is left of one.
	telling = 10 * time.Second
	// patience is how long a cancelled invocation may take to end. Its worker looks every few seconds whether it is.
	patience = 20 * time.Second
)

// halt has the supervisor end the invocation: a function does not see that its client is gone. When it does not end in
// time, the connection is given up.
func (i *invocation) halt() {
	i.halting.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(i.own), telling)
		defer cancel()
		if i.alive != nil && i.alive(ctx) {
			i.end()
			return
		}
		i.halted = true
		if err := supervisor.Cancel(ctx, i.bucket, i.id); err != nil {
			i.end() // it runs to its end, and nobody takes its results
			return
		}
		i.timer = time.AfterFunc(patience, i.end)
	})
}

// finish is the end of the invocation for the driver. Over says that it is over for the platform, too, or never began
// there. Otherwise it may go on there for minutes beside what is tried in its place: its worker is told to stop.
func (i *invocation) finish(over bool) {
	i.done.Do(func() {
		if !i.unwatch() {
			i.halt() // which has begun: wait for it
		}
		i.end()
		i.halting.Do(func() {
			if !over {
				i.b.aside.Go(i.abandon)
			}
		})
		if i.timer != nil {
			i.timer.Stop()
		}
		if i.halted && over || len(i.keys) > 0 {
			i.sweep(over)
		}
		i.leave()
	})
}

// abandon has the supervisor end an invocation of which nothing more will be heard. Where it has ended already, the word
// stays in the bucket until mapper.Clean.
func (i *invocation) abandon() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(i.own), telling)
	defer cancel()
	if i.alive != nil && i.alive(ctx) {
		return
	}
	_ = supervisor.Cancel(ctx, i.bucket, i.id) // then it runs to its end
}

// sweep deletes what belongs to the invocation. What cannot be deleted now is deleted with its job.
func (i *invocation) sweep(over bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(i.own), telling)
	defer cancel()
	if i.halted && over {
		_ = supervisor.Uncancel(ctx, i.bucket, i.id)
	}
	if len(i.keys) > 0 {
		_ = i.bucket.Delete(ctx, i.keys...)
	}
}

// fail ends an invocation of which no reply comes. Over is as in finish.
func (i *invocation) fail(err error, over bool) (io.ReadCloser, error) {
	stopped := i.ctx.Err() != nil
	i.finish(over)
	if stopped {
		return nil, context.Cause(i.ctx)
	}
	return nil, lose(i.function, err)
}

// refused ends an invocation whose call failed.
func (i *invocation) refused(err error) (io.ReadCloser, error) {
	err = failed(i.own, "invoke "+i.function, err)
	return i.fail(err, unbegun(err))
}

// reply is the reader of the frames in body.
func (i *invocation) reply(body io.ReadCloser, quiet time.Duration) io.ReadCloser {
	return supervisor.NewReply(i.ctx, body, supervisor.ReplyOptions{
		Worker: i.function, Silence: quiet, Explain: i.explain, Broken: i.end, // of what is broken nobody waits for the end
	})
}

func (i *invocation) explain(err error) error {
	return lose(i.function, failed(context.Background(), "the reply of "+i.function, err))
}

// stream is the invocation whose reply is a response stream.
func (i *invocation) stream(m message) (io.ReadCloser, error) {
	m.Reply = replyStream
	out, err := i.aws.invoke.InvokeWithResponseStream(i.own, &lambda.InvokeWithResponseStreamInput{
		FunctionName: &i.function, Payload: m.encode(), LogType: types.LogTypeTail,
	}, ownCodec)
	if err != nil {
		return i.refused(err)
	}
	return i.reply(newEvents(i, out.GetStream()), silence), nil
}

// ownCodec gives a call a codec of its own: that of a client is shared by its streams, and is not made for it
// (github.com/aws/smithy-go/issues/714).
func ownCodec(o *lambda.Options) { o.Protocol = restjson1.New(schemas.AWSGirApiService) }

// plain is the invocation whose reply comes whole.
func (i *invocation) plain(m message, prefix string) (io.ReadCloser, error) {
	m.Reply, m.ReplyKey = replyInline, i.key(prefix, "replies")
	out, err := i.aws.invoke.Invoke(i.own, &lambda.InvokeInput{FunctionName: &i.function, Payload: m.encode(), LogType: types.LogTypeTail})
	if err != nil {
		return i.refused(err)
	}
	if out.FunctionError != nil {
		return i.fail(functionError(i.function, out), true)
	}
	var a answer
	if err := json.Unmarshal(out.Payload, &a); err != nil || a.Gowren != payloadVersion {
		return i.fail(fmt.Errorf("awslambda: %s answers with %.200q, which is no gowren worker's answer: a proxy or another service may be in between",
			i.function, out.Payload), false)
	}
	if a.Key == "" {
		return i.reply(&whole{Reader: bytes.NewReader(a.Frames), i: i}, 0), nil
	}
	if a.Key != m.ReplyKey {
		return i.fail(fmt.Errorf("awslambda: %s says that its reply is at %q, and not where it was to be", i.function, a.Key), true)
	}
	i.keys = append(i.keys, a.Key)
	r, err := i.bucket.Get(i.own, a.Key, 0, -1)
	if err != nil {
		return i.fail(fmt.Errorf("awslambda: the reply in the bucket: %w", err), true)
	}
	return i.reply(&whole{Reader: r, stored: r, i: i}, 0), nil
}

// key names an object of the invocation.
func (i *invocation) key(prefix, kind string) string { return path.Join(prefix, kind, i.id) }

// whole is the reply of an invocation that is over.
type whole struct {
	io.Reader
	stored io.Closer
	i      *invocation
}

func (w *whole) Close() error {
	var err error
	if w.stored != nil {
		err = w.stored.Close()
	}
	w.i.finish(true)
	return err
}

// errClosed is of a reply that was closed while it was read.
var errClosed = errors.New("the reply is closed")
