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
	body   *process.Reply
	begun  time.Time
	leave  func()

	mu    sync.Mutex // held while w is written to
	w     *bufio.Writer
	wrote time.Time
	ended bool     // the last frame was written
	early [][]byte // frames of lines that were printed before w was there
}

// Pass passes the child's reply on to w, frame by frame as they come, and closes it. What is lost of it is told in the
// reply itself. The error says that the reply could not be written: nobody reads it.
func (r *Relay) Pass(w io.Writer) (err error) {
	defer r.leave()
	r.begin(w)
	defer r.watch()()
	var frames wire.Reader
	frames.Reset(r.body)
	for err == nil {
		t, _, failed := frames.Next()
		if failed == io.EOF {
			break
		}
		if failed != nil {
			r.body.Settle()
			if r.ctx.Err() != nil && errors.Is(failed, r.ctx.Err()) {
				failed = context.Cause(r.ctx) // which says more
			}
			err = r.write(wire.TypeLost, wire.AppendLost(nil, Loss(r.s.config.Name, failed, time.Since(r.begun))), true)
			break
		}
		if t.Ends() {
			r.body.Settle()
		}
		err = r.write(t, frames.Frame(), !frames.Ready())
	}
	if err != nil {
		r.cancel(err)
	}
	return errors.Join(err, r.body.Close())
}

// begin writes what the child had printed before there was where to.
func (r *Relay) begin(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.w, r.wrote = bufio.NewWriterSize(w, 32<<10), time.Now()
	for _, line := range r.early {
		_, _ = r.w.Write(line) // the next write tells
	}
	r.early = nil
}

// print passes a line on that the child has printed: the driver's log has it.
func (r *Relay) print(worker, line string) {
	frame := wire.AppendLog(nil, wire.Log{Position: -1, Text: line})
	r.mu.Lock()
	early := r.w == nil
	if early {
		r.early = append(r.early, frame)
	}
	ended := r.ended
	r.mu.Unlock()
	switch {
	case early:
	case ended:
		if r.s.config.Log != nil {
			r.s.config.Log(worker, line)
		}
	default:
		if err := r.write(wire.TypeLog, frame, true); err != nil {
			r.cancel(err) // nobody reads this
		}
	}
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
