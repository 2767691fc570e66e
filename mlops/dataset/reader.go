package dataset

import (
	"context"
	"sync"
)

// reader makes batches of the pieces of a rank. Fetchers fill the slots of a ring, in any order; the caller's goroutine
// takes them in theirs, gives back those of a pool when all its rows are in batches, and says what goes into them next.
type reader struct {
	ctx    context.Context
	cancel context.CancelFunc
	set    *Set
	o      *BatchOptions
	order  order
	rest   int // epochs that the order has not begun; below zero: no end
	epochs int // epochs whose batches have not begun; below zero: no end
	rows   int64
	left   int64 // rows of this epoch that are in no batch yet

	ring  []slot
	first int // of the slots that are in use
	used  int
	todo  chan *slot
	wait  sync.WaitGroup

	pool   pool
	cursor int // in the pool
	batch  Batch
}

// slot holds a piece and its group.
type slot struct {
	piece
	Group
	err  error
	done chan struct{} // has one when the group is read
}

// read starts the fetchers.
func (s *Set) read(ctx context.Context, o *BatchOptions) *reader {
	r := &reader{set: s, o: o, rest: o.Epochs, epochs: o.Epochs}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.order = order{set: s, o: o}
	rows, _ := share(s.Rows(), o.Rank, o.World)
	if r.rows = o.rows(rows); r.rows == 0 {
		r.epochs = 0
		return r
	}
	steps := (r.rows + int64(o.Size) - 1) / int64(o.Size)
	if o.Epochs >= 0 && o.From/steps >= int64(o.Epochs) {
		r.epochs = 0
		return r
	}
	r.ring = make([]slot, o.Pool+o.Ahead)
	r.todo = make(chan *slot, len(r.ring))
	for i := range r.ring {
		r.ring[i].done = make(chan struct{}, 1)
	}
	for range o.Ahead {
		r.wait.Go(r.fetch)
	}
	r.begin(int(o.From/steps), o.From%steps*int64(o.Size))
	return r
}

// begin goes to a row of an epoch.
func (r *reader) begin(epoch int, row int64) {
	if r.o.Epochs >= 0 {
		r.rest, r.epochs = r.o.Epochs-epoch-1, r.o.Epochs-epoch-1
	}
	r.left = r.rows - row
	r.order.begin(epoch)
	r.cursor = int(r.order.skip(row)) // of the pool that comes first
	r.assign()
}

// fetch reads groups until there are no more to read.
func (r *reader) fetch() {
	for s := range r.todo {
		s.err = r.set.Read(r.ctx, s.group, &s.Group)
		s.done <- struct{}{}
	}
}

// close ends the fetchers.
func (r *reader) close() {
	r.cancel()
	if r.todo != nil {
		close(r.todo)
	}
	r.wait.Wait()
}

// assign gives the free slots something to read.
func (r *reader) assign() {
	for r.used < len(r.ring) {
		if r.order.left == 0 {
			if r.rest == 0 {
				return
			}
			r.rest--
			r.order.begin(r.order.epoch + 1)
		}
		s := &r.ring[(r.first+r.used)%len(r.ring)]
		s.piece = r.order.next()
		r.used++
		r.todo <- s
	}
}

// more reports whether there is another batch.
func (r *reader) more() bool {
	if r.left == 0 && r.epochs != 0 {
		r.epochs--
		r.left = r.rows
	}
	return r.left > 0
}

// next returns the next batch.
func (r *reader) next() (*Batch, error) {
	n := int(min(int64(r.o.Size), r.left))
	r.batch.empty(r.set.manifest)
	for r.batch.Rows < n {
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		if r.cursor >= r.pool.total {
			if err := r.refill(); err != nil {
				return nil, err
			}
		}
		k := min(n-r.batch.Rows, r.pool.total-r.cursor)
		r.pool.gather(&r.batch, r.cursor, r.cursor+k)
		r.cursor += k
	}
	r.left -= int64(n)
	return &r.batch, nil
}

// refill puts the next pool in the place of the one whose rows are all in batches.
func (r *reader) refill() error {
	r.cursor -= r.pool.total
	r.first = (r.first + len(r.pool.slots)) % len(r.ring)
	r.used -= len(r.pool.slots)
	r.pool.reset()
	r.assign()
	for i := 0; ; i++ {
		s := &r.ring[(r.first+i)%len(r.ring)]
		<-s.done
		if s.err != nil {
			return s.err
		}
		r.pool.add(s)
		if s.last {
			if r.o.Shuffle {
				r.pool.shuffle()
			}
			return nil
		}
	}
}
