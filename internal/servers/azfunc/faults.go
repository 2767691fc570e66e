package azfunc

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Faults are what goes wrong at the fronts. A number is how many of the next requests it strikes. They may be set at any
// time.
type Faults struct {
	Throttled   atomic.Int32 // answered 429
	Full        atomic.Int32 // answered 503, as where no instance is free
	Mute        atomic.Int32 // taken, and never answered
	Page        atomic.Int32 // answered with a page of HTML, as a proxy in between does
	Unavailable atomic.Int32 // answered 500, as by a host that cannot start its worker
	Reset       atomic.Int32 // the connection breaks after some bytes of the answer
	Orphaned    atomic.Int32 // the same, and the work goes on
	Lost        atomic.Int32 // the work is done, and nothing of its answer arrives
	Doubled     atomic.Int32 // the worker gets the request twice, and the first answer goes nowhere
	Killed      atomic.Int32 // the worker is killed when its answer has begun
	Looks       atomic.Int32 // looks at a deployment: answered 429 and 503, or not at all, in turn
	Unknown     atomic.Int32 // looks at a deployment: it is told to be unknown, and goes on
	MuteLooks   atomic.Int32 // looks at a deployment: taken, and never answered
	MuteCalls   atomic.Int32 // calls of the resource manager: taken, and never answered
	Sent        atomic.Int32 // a package arrives, and its answer does not
	ColdStart   atomic.Int64 // nanoseconds that are added to the start of an instance
}

// strikes reports whether a fault is for this request.
func strikes(n *atomic.Int32) bool {
	for {
		left := n.Load()
		if left <= 0 {
			return false
		}
		if n.CompareAndSwap(left, left-1) {
			return true
		}
	}
}

// hang keeps a request until its caller has gone.
func hang(r *http.Request) { <-r.Context().Done() }

// SetColdStart makes each start of an instance take that much longer.
func (f *Faults) SetColdStart(d time.Duration) { f.ColdStart.Store(int64(d)) }
