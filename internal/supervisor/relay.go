package supervisor

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/process"
	"github.com/gowren/gowren/internal/wire"
)

// Relay is a call that a child serves.
type Relay struct {
	s      *Supervisor
	call   Call
	ctx    context.Context
	cancel context.CancelCauseFunc
	begun  time.Time
	leave  func()

	mu    sync.Mutex // held while w is written to
	w     *bufio.Writer
	wrote time.Time
	ended bool // the last frame was written
}

// Pass has a child serve the call, and passes its reply on to w, frame by frame as they come. What is lost of it is told
// in the reply itself. The error says that the reply could not be written: nobody reads it.
func (r *Relay) Pass(w io.Writer) error {
	defer r.leave()
	defer r.finish()
	r.w, r.wrote = bufio.NewWriterSize(w, 32<<10), time.Now()
	defer r.watch()()
	path, release, err := r.s.programs.find(r.ctx, r.call.Program)
	if err != nil {
		return r.tell(err)
	}
	defer release()
	if err := r.s.room(); err != nil {
		return r.tell(err)
	}
	body, err := r.s.pool.Invoke(r.ctx, path, r.call.Body, r.print)
	if err != nil {
		return r.tell(err)
	}
	if err = r.pass(body); err != nil {
		r.cancel(err)
	}
	return errors.Join(err, body.Close())
}

// finish has what is printed from now on not be written to what is no longer ours.
func (r *Relay) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// pass passes frames on until the last. What the child has printed before it comes before it.
func (r *Relay) pass(body *process.Reply) error {
	var frames wire.Reader
	frames.Reset(body)
	for {
		t, _, err := frames.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil || t.Ends() {
			body.Settle()
		}
		if err != nil {
			return r.tell(err)
		}
		if err := r.write(t, frames.Frame(), !frames.Ready()); err != nil {
			return err
		}
	}
}

// tell ends the reply with what was lost.
func (r *Relay) tell(lost error) error {
	if r.ctx.Err() != nil && errors.Is(lost, r.ctx.Err()) {
		lost = context.Cause(r.ctx) // which says more
	}
	return r.write(wire.TypeLost, wire.AppendLost(nil, Loss(r.s.config.Name, lost, time.Since(r.begun))), true)
}

// print passes a line on that the child has printed: the driver's log has it, as long as there is a reply.
func (r *Relay) print(worker, line string) {
	if r.over() {
		if r.s.config.Log != nil {
			r.s.config.Log(worker, line)
		}
		return
	}
	if err := r.write(wire.TypeLog, wire.AppendLog(nil, wire.Log{Position: -1, Text: line}), true); err != nil {
		r.cancel(err) // nobody reads this
	}
}

func (r *Relay) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *Relay) write(t wire.Type, frame []byte, flush bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended { // a heartbeat came too late
		return nil
	}
	r.wrote, r.ended = time.Now(), t.Ends()
	_, err := r.w.Write(frame)
	if err == nil && flush {
		err = r.w.Flush()
	}
	return err
}

// watch does what goes on beside a reply: it says that the call lives, and looks whether it was cancelled.
func (r *Relay) watch() (stop func()) {
	beat, poll := r.s.config.Beat, r.s.config.Poll
	if beat == 0 && poll == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var all sync.WaitGroup
	if beat > 0 {
		all.Go(func() { r.beats(done, beat) })
	}
	if poll > 0 {
		all.Go(func() { r.polls(done, poll) })
	}
	return func() { close(done); all.Wait() }
}

var beatFrame = wire.AppendFrame(nil, wire.TypeBeat, nil)

func (r *Relay) beats(done <-chan struct{}, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if !r.silent(every / 2) {
			continue
		}
		if err := r.write(wire.TypeBeat, beatFrame, true); err != nil {
			r.cancel(err) // nobody reads this
			return
		}
	}
}

func (r *Relay) silent(d time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.wrote) >= d
}

// Loss puts an error into the words of the protocol.
func Loss(worker string, err error, ran time.Duration) wire.Lost {
	l := wire.Lost{Loss: wire.LossWorker, Worker: worker, Message: err.Error(), Ran: ran}
	var lost *backends.LostError
	if errors.As(err, &lost) {
		l.Worker, l.Message, l.Output, l.Ran = lost.Worker, lost.Cause.Error(), lost.Output, lost.Ran
	}
	for _, c := range losses {
		if errors.Is(err, c.class) {
			l.Loss = c.loss
			break
		}
	}
	return l
}

// losses are the classes that go over the wire.
var losses = []struct {
	class error
	loss  wire.Loss
}{
	{backends.ErrOutOfMemory, wire.LossMemory},
	{backends.ErrTimeout, wire.LossTimeout},
	{context.DeadlineExceeded, wire.LossTimeout},
	{backends.ErrThrottled, wire.LossThrottled},
	{backends.ErrRefused, wire.LossRefused},
	{backends.ErrInvalid, wire.LossInvalid},
	{wire.ErrVersion, wire.LossInvalid},
	{context.Canceled, wire.LossCanceled},
}
