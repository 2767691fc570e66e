package sched

import (
	"context"
	"errors"
	"testing"
	"time"
)

// What waits for another attempt counts against the bound on waiting inputs: a service that fails for a while must not
// fill the driver's memory.
func TestBytesOfRetries(t *testing.T) {
	m := NewMachine(Policy{Concurrency: 1, Retries: 3})
	now := time.Unix(0, 0)
	for range 4 {
		m.Push(Task{Data: make([]byte, 100)})
	}
	held := 0
	for range 4 {
		b, _ := m.Next(now)
		if b == nil {
			t.Fatal("no batch")
		}
		for i := range b.Tasks {
			if _, err := b.Settle(i); err != nil {
				t.Fatal(err)
			}
			if _, final := m.Failed(b.Tasks[i], true, now); final {
				t.Fatal("the first failure is final")
			}
			held += 100
		}
		m.End(b, Outcome{Ran: len(b.Tasks), Busy: time.Millisecond}, now)
		if want := 400; m.Bytes() != want {
			t.Fatalf("%d bytes wait, want %d", m.Bytes(), want)
		}
		if held == 400 {
			break
		}
	}
	m.Close()
	for m.pending() > 0 {
		now = now.Add(time.Minute)
		b, _ := m.Next(now)
		for i := range b.Tasks {
			if _, err := b.Settle(i); err != nil {
				t.Fatal(err)
			}
		}
		m.End(b, Outcome{Ran: len(b.Tasks), Busy: time.Millisecond}, now)
	}
	if m.Bytes() != 0 || !m.Finished() {
		t.Errorf("%d bytes wait at the end", m.Bytes())
	}
}

// An input that fails because the job was cancelled is not why the job ends.
func TestFeedFailsByCancel(t *testing.T) {
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		j := &Job{Policy: Policy{Concurrency: 1}, Feed: func(context.Context, func([]byte) bool) error {
			cancel()
			return errors.New("source: connection closed")
		}}
		if err := NewRunner(j).Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("the job ends by %v", err)
		}
	}
}
