package httpworker

import (
	"sync"
	"time"
)

// place is one of the URLs.
type place struct {
	client *Client
	slots  int

	// Guarded by places.mu.
	busy  int           // invocations under way
	pause time.Duration // how long it was last left alone
	until time.Time     // when that ends
}

// places chooses where invocations go.
type places struct {
	all []*place

	mu   sync.Mutex
	next int // where the search begins: places that are alike take turns
}

// A place that failed is left alone for a while, as long as there are others: at first shortly, then for longer.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// take returns the place that is least busy and was not tried, if possible one that is not left alone; nil where all were.
func (ps *places) take(tried map[*place]bool) *place {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	now := time.Now()
	var best *place
	for i := range ps.all {
		p := ps.all[(ps.next+i)%len(ps.all)]
		if !tried[p] && (best == nil || p.better(best, now)) {
			best = p
		}
	}
	ps.next++
	if best != nil {
		best.busy++
	}
	return best
}

func (p *place) better(than *place, now time.Time) bool {
	if left, other := p.until.After(now), than.until.After(now); left || other {
		return left != other && other || left && other && p.until.Before(than.until)
	}
	return p.busy*than.slots < than.busy*p.slots
}

func (ps *places) giveBack(p *place) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.busy--
}

// failed notes that a place could not be reached, or did not serve what it was given.
func (ps *places) failed(p *place) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	now := time.Now()
	if p.until.After(now) {
		return // several were under way
	}
	p.pause = min(max(2*p.pause, firstPause), lastPause)
	p.until = now.Add(p.pause)
}

// served notes that a place does its work.
func (ps *places) served(p *place) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.pause, p.until = 0, time.Time{}
}
