package sched

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

// TestRandomEvents drives a machine by random events, and holds it to its promises after each: every task is settled or
// reported failed exactly once, nothing is lost or doubled, no attempt too many, and never more under way than allowed.
func TestRandomEvents(t *testing.T) {
	t.Parallel()
	var copies int64
	for seed := range uint64(1000) {
		c := newChaos(t, seed)
		c.run()
		copies += c.m.Counts().Copies
	}
	if copies < 20 {
		t.Errorf("only %d copies were made", copies)
	}
}

type chaos struct {
	*testing.T
	*rand.Rand
	seed    uint64
	m       *Machine
	policy  Policy
	now     time.Time
	tasks   int
	pushed  int
	done    map[int64]bool
	where   map[int64]int // the batches in which a task is not settled: one at most, and copies
	copied  int           // tasks in copies
	leaving []func()      // end what was left
	parked  [][]Task
	levels  map[int64]int32 // of tasks that need more than 0
	under   []*Batch
}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{T: t, Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, now: start, done: map[int64]bool{}, where: map[int64]int{}, levels: map[int64]int32{}}
	c.policy = Policy{
		Concurrency: 1 + c.IntN(8), CPUs: 1 + c.IntN(4), BatchSize: max(c.IntN(20)-4, 0), BatchBytes: c.IntN(50),
		Retries: c.IntN(4), Random: c.Float64, Streams: c.IntN(3) > 0, Copies: max(c.Float64()-0.5, 0),
	}
	c.m = NewMachine(c.policy)
	c.tasks = 1 + c.IntN(120)
	return c
}

func (c *chaos) fail(what string, args ...any) {
	c.Helper()
	c.Fatalf("seed %d: "+what, append([]any{c.seed}, args...)...)
}

func (c *chaos) run() {
	for steps := 0; !c.m.Finished(); steps++ {
		if steps > 100_000 {
			c.fail("no end: %+v", c.m.Counts())
		}
		switch {
		case c.pushed < c.tasks && c.IntN(3) == 0:
			c.m.Push(Task{Index: int64(c.pushed), Data: make([]byte, c.IntN(20))})
			if c.pushed++; c.pushed == c.tasks {
				c.m.Close()
			}
		case len(c.leaving) > 0 && c.IntN(3) == 0:
			i := c.IntN(len(c.leaving))
			end := c.leaving[i]
			c.leaving = slices.Delete(c.leaving, i, i+1)
			end()
		case len(c.parked) > 0 && c.IntN(3) == 0:
			c.m.Unpark(c.parked[0])
			c.parked = c.parked[1:]
		case len(c.under) > 0 && c.IntN(2) == 0:
			c.end()
		default:
			c.begin()
		}
		if n := c.m.Counts(); n.Queued+n.Running+n.Settled < int64(c.pushed) { // what is tried again is in two places till its batch ends
			c.fail("%+v of %d pushed", n, c.pushed)
		}
	}
	n := c.m.Counts()
	if len(c.done) != c.tasks || n.Settled != int64(c.tasks) || n.Queued != 0 || n.Running != 0 || c.m.Bytes() != 0 || c.m.Err() != nil {
		c.fail("%d of %d tasks are done; %+v; %v", len(c.done), c.tasks, n, c.m.Err())
	}
}

func (c *chaos) begin() {
	ready, when := c.m.Ready(c.now)
	b, again := c.m.Next(c.now)
	if ready != (b != nil) || !when.Equal(again) {
		c.fail("Ready says %v, %v and Next %v", ready, when, again)
	}
	if b == nil {
		if !again.IsZero() {
			c.now = again
		}
		return
	}
	if b.level() > 0 && len(b.work.batches) == 1 && c.IntN(3) == 0 {
		c.parked = append(c.parked, c.m.Park(b))
		return
	}
	if b.level() > 0 && len(b.work.batches) == 1 && c.IntN(8) == 0 {
		c.giveUp(b)
		return
	}
	c.under = append(c.under, b)
	bytes := 0
	for _, task := range b.Tasks {
		others := 0
		if b.Copy {
			others = len(b.work.batches) - 1
			c.copied++
		}
		if c.done[task.Index] || c.where[task.Index] != others || int(task.Attempt) > c.policy.Retries {
			c.fail("task %d is begun (done %v, under way %d, attempt %d, copy %v)", task.Index, c.done[task.Index], c.where[task.Index], task.Attempt, b.Copy)
		}
		if task.Level != c.levels[task.Index] || task.Level > 0 && len(b.Tasks) > 1 {
			c.fail("task %d is begun at level %d with %d tasks, want level %d", task.Index, task.Level, len(b.Tasks), c.levels[task.Index])
		}
		c.where[task.Index]++
		bytes += len(task.Data)
	}
	if c.IntN(3) > 0 {
		c.m.Started(b, c.now.Add(time.Duration(c.IntN(300))*time.Millisecond))
	}
	n := c.m.Counts()
	if own := n.Invocations - n.Copies; c.policy.Copies == 0 && n.Copies > 0 || float64(n.Copies) > max(1, c.policy.Copies*float64(own)) || float64(c.copied) > max(1, c.policy.Copies*float64(c.tasks)) {
		c.fail("%d copies of %d tasks and %d invocations", n.Copies, c.copied, own)
	}
	if len(b.Tasks) == 0 || len(c.under) > c.policy.Concurrency || c.policy.BatchBytes > 0 && bytes > c.policy.BatchBytes && len(b.Tasks) > 1 {
		c.fail("%d batches under way, the last of %d tasks and %d bytes", len(c.under), len(b.Tasks), bytes)
	}
}

// giveUp is when there will be no worker of a batch's level.
func (c *chaos) giveUp(b *Batch) {
	t := b.Tasks[0]
	_, err := b.Settle(0)
	if n := c.m.GiveUp(t); err != nil || n != int(t.Attempt) {
		c.fail("task %d is given up after %d attempts, want %d: %v", t.Index, n, t.Attempt, err)
	}
	c.finish(t.Index)
	c.m.Unpark(c.m.Park(b))
}

func (c *chaos) finish(index int64) {
	if c.done[index] {
		c.fail("task %d is done twice", index)
	}
	c.done[index] = true
}

func (c *chaos) end() {
	i := c.IntN(len(c.under))
	b := c.under[i]
	c.under = append(c.under[:i], c.under[i+1:]...)
	c.now = c.now.Add(time.Duration(c.IntN(1000)) * time.Millisecond)
	var o Outcome
	part := 1.0
	switch c.IntN(8) {
	case 0:
		o.Err, part = errBusy, 0
	case 1, 2:
		o.Err, part = errLost, c.Float64()
	case 3:
		part = max(c.Float64(), 0.01) // the rest is handed back
	}
	ran := 0
	for position := range b.Tasks {
		if c.Float64() > part {
			continue
		}
		ran++
		task := b.Tasks[position]
		if first, err := b.Settle(position); err != nil || !first && b.work.copies.Load() == 0 {
			c.fail("%v, %v", first, err)
		} else if !first {
			continue
		}
		c.where[task.Index] = 0
		if c.IntN(10) > 0 {
			c.finish(task.Index)
		} else if attempts, final := c.m.Failed(task, c.IntN(4) > 0, c.now); final {
			c.finish(task.Index)
		} else if attempts > c.policy.Retries {
			c.fail("attempt %d of task %d is not the last", attempts, task.Index)
		}
	}
	for _, task := range b.Tasks {
		if slices.ContainsFunc(b.work.rest(), func(x Task) bool { return x.Index == task.Index }) {
			c.where[task.Index]--
		}
	}
	if b.Copy && o.Err != nil && errors.Is(o.Err, errBusy) {
		c.copied -= len(b.Tasks) // nothing of it ran
	}
	if b.redundant() && c.IntN(2) == 0 {
		o.Err = errRedundant
	}
	if rest := b.work.rest(); errors.Is(o.Err, errLost) && len(rest) == 1 && len(b.work.batches) == 1 && c.IntN(2) == 0 {
		o.More = true
		c.levels[rest[0].Index]++
	}
	o.Ran, o.Busy = ran, time.Duration(ran)*time.Millisecond
	end := func() {
		for _, x := range c.m.End(b, o, c.now) {
			if x.Attempts != c.policy.Retries+1 {
				c.fail("%+v", x)
			}
			c.finish(x.Task.Index)
		}
	}
	if c.IntN(3) == 0 { // a Runner leaves first
		c.m.Leave(b)
		c.leaving = append(c.leaving, end)
	} else {
		end()
	}
	if err := c.m.Err(); err != nil && !errors.Is(err, backends.ErrThrottled) {
		c.fail("%v", err)
	}
}
