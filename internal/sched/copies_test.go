package sched

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// oneLate is a machine of which all tasks but the last are done, and that one is late.
func oneLate(t *testing.T, p Policy) (m *Machine, late *Batch, now time.Time) {
	t.Helper()
	p.Concurrency, p.BatchSize, p.Copies = 4, 1, 0.5
	m = filled(p, 4, 1)
	now = start
	var all []*Batch
	for range 4 {
		all = append(all, must(t, m, now))
	}
	now = now.Add(10 * time.Millisecond)
	for _, b := range all[:3] {
		settle(t, b)
		m.End(b, Outcome{Ran: 1, Busy: 10 * time.Millisecond}, now)
	}
	return m, all[3], now.Add(time.Minute)
}

// TestCopyTooLate: results come while a copy is about to be made. Then there is none, or one that has something to do.
func TestCopyTooLate(t *testing.T) {
	t.Parallel()
	for range 2000 {
		m, late, now := oneLate(t, Policy{})
		var settled sync.WaitGroup
		settled.Go(func() { settle(t, late) })
		b, _ := m.Next(now)
		settled.Wait()
		if b != nil {
			if len(b.Tasks) != 1 || !b.Copy {
				t.Fatalf("a copy of %d tasks", len(b.Tasks))
			}
			m.End(b, Outcome{Err: errRedundant}, now)
		}
		m.End(late, Outcome{Ran: 1}, now)
		if !m.Finished() {
			t.Fatal("it is not finished")
		}
		addUp(t, m, 4)
	}
}

// TestCopyBesideRetries: that a task is to be tried again later holds up no copy.
func TestCopyBesideRetries(t *testing.T) {
	t.Parallel()
	m, late, now := oneLate(t, Policy{Retries: 1, Backoff: time.Hour})
	m.Failed(Task{Index: 9}, true, now)
	b := must(t, m, now)
	if !b.Copy || b.work != late.work {
		t.Errorf("%+v is begun", b)
	}
	if next, again := m.Next(now); next != nil || again.IsZero() || again.After(now.Add(time.Hour)) {
		t.Errorf("then %+v, or to be asked at %v", next, again)
	}
}

// scripted answers each invocation by a function.
type scripted struct {
	fake
	answer func(ctx context.Context, n int, r *wire.Request) ([]byte, error)
	mu     sync.Mutex
	n      int
}

func (s *scripted) Invoke(ctx context.Context, request backends.Request) (io.ReadCloser, error) {
	payload, err := wire.OpenRequest(request.Body)
	if err != nil {
		return nil, err
	}
	var r wire.Request
	if err := wire.DecodeRequest(payload, &r); err != nil {
		return nil, err
	}
	s.mu.Lock()
	n := s.n
	s.n++
	s.mu.Unlock()
	reply := &fakeReply{f: &s.fake, ctx: ctx}
	s.flying.Add(1)
	data, err := s.answer(ctx, n, &r)
	reply.add(0, data, err)
	return reply, nil
}

func reply(failed bool, r *wire.Request) []byte {
	var all []byte
	for i := range r.Tasks {
		if failed {
			all = wire.AppendFailed(all, wire.Failure{Position: i, Cause: wire.CauseError, Message: "somebody has it already"})
		} else {
			all = wire.AppendResult(all, i, r.Tasks[i].Data)
		}
	}
	return wire.AppendEnd(all, wire.TypeEnd, &wire.End{Ran: len(r.Tasks), Busy: time.Millisecond})
}

// TestCopyFails: a copy that fails is nobody's failure while the first worker is at work, as where the function claims
// something that only one can have. Where the first worker fails after it, it is.
func TestCopyFails(t *testing.T) {
	for name, c := range map[string]struct {
		first bool // fails, too
		want  []int64
	}{"copy alone": {false, nil}, "both": {true, []int64{7}}} {
		synctest.Test(t, func(t *testing.T) {
			s := &scripted{answer: func(ctx context.Context, n int, r *wire.Request) ([]byte, error) {
				took, failed := 10*time.Millisecond, false
				if r.Tasks[0].Index == 7 {
					took, failed = time.Minute, c.first
					if n >= 10 {
						took, failed = time.Millisecond, true
					}
				}
				if err := pause(ctx, took); err != nil {
					return nil, err
				}
				return reply(failed, r), nil
			}}
			var mu sync.Mutex
			var failed []int64
			results := 0
			r := NewRunner(&Job{
				Backend: s,
				Policy:  Policy{Concurrency: 10, BatchSize: 1, Copies: 0.1},
				Feed: func(_ context.Context, push func([]byte) bool) error {
					for i := range 10 {
						push(binary.AppendUvarint(nil, uint64(i)))
					}
					return nil
				},
				Request: request,
				Result: func(context.Context, *Slot, *Task, Value) *Failure {
					mu.Lock()
					defer mu.Unlock()
					results++
					return nil
				},
				Failed: func(t *Task, _ int, _ *Failure) error {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, t.Index)
					return nil
				},
				Log: func(*Task, string) {},
			})
			if err := r.Run(t.Context()); err != nil {
				t.Error(err)
			}
			if n := r.Counts(); !slices.Equal(failed, c.want) || results+len(failed) != 10 || n.Copies < 1 {
				t.Errorf("%s: %v failed, %d results, %+v", name, failed, results, n)
			}
		})
	}
}

// TestCopiesFail: a task that fails slowly each time is not run for ever because its copies fail, too, and hurts no other.
func TestCopiesFail(t *testing.T) {
	for name, c := range map[string]struct {
		took     time.Duration
		bad      func() ([]byte, error)
		attempts int
		within   time.Duration
	}{
		"time-out": {2 * time.Second, func() ([]byte, error) {
			bad := wire.AppendFailed(nil, wire.Failure{Cause: wire.CauseTimeout, Again: true})
			return wire.AppendEnd(bad, wire.TypeLeave, &wire.End{Ran: 1, Busy: 2 * time.Second}), nil
		}, 3, 15 * time.Second},
		"lost": {3 * time.Second, func() ([]byte, error) { return nil, errLost }, 3, 20 * time.Second},
		"error": {3 * time.Second, func() ([]byte, error) {
			return reply(true, &wire.Request{Tasks: make([]wire.Task, 1)}), nil
		}, 1, 8 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			const n = 1000
			s := &scripted{answer: func(ctx context.Context, _ int, r *wire.Request) ([]byte, error) {
				took := 10 * time.Millisecond
				if r.Tasks[0].Index == n-1 {
					took = c.took
				}
				if err := pause(ctx, took); err != nil {
					return nil, err
				}
				if r.Tasks[0].Index == n-1 {
					return c.bad()
				}
				return reply(false, r), nil
			}}
			var mu sync.Mutex
			results, failed := 0, []int{}
			r := NewRunner(&Job{
				Backend: s,
				Policy:  Policy{Concurrency: 4, BatchSize: 1, Copies: 0.1, Retries: 2},
				Feed: func(_ context.Context, push func([]byte) bool) error {
					for i := range n {
						push(binary.AppendUvarint(nil, uint64(i)))
					}
					return nil
				},
				Request: request,
				Result: func(context.Context, *Slot, *Task, Value) *Failure {
					mu.Lock()
					defer mu.Unlock()
					results++
					return nil
				},
				Failed: func(_ *Task, attempts int, _ *Failure) error {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, attempts)
					return nil
				},
				Log: func(*Task, string) {},
			})
			began := time.Now()
			err := r.Run(t.Context())
			took := time.Since(began)
			counts := r.Counts()
			if err != nil || results != n-1 || !slices.Equal(failed, []int{c.attempts}) {
				t.Errorf("%s: %v; %d results, the attempts at those that failed are %v", name, err, results, failed)
			}
			if took > c.within || counts.Copies > 2*mostCopies || counts.Lost > int64(c.attempts)+mostCopies {
				t.Errorf("%s: %v, %+v", name, took, counts)
			}
		})
	}
}
