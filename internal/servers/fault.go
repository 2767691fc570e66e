package servers

import (
	"net"
	"sync"
)

// Fault is what a [Proxy] or a [Link] does to what passes.
type Fault int

// The faults. All but Answer are for both.
const (
	// Answer answers in the server's place, which never hears of the request. It is for a [Proxy] alone.
	Answer Fault = iota
	// Reset resets the connection instead of passing the request on.
	Reset
	// Lose passes the request on, and resets the connection instead of passing the answer back.
	Lose
	// Stall neither passes the request on nor answers.
	Stall
	// Cut closes the connection after At bytes of the answer's body; with a [Link], of the answer. With none, a Proxy
	// passes no status either; nor does StallAt.
	Cut
	// StallAt passes At bytes of the answer's body, or with a Link of the answer, and no more.
	StallAt
	// FlipAnswer changes the byte of the answer's body, or with a Link of the answer, that has At bytes before it.
	FlipAnswer
	// FlipRequest changes the byte of the request's body that has At bytes before it. It is for a Proxy alone.
	FlipRequest
)

// due keeps count of the matches of rules, and says which rule applies. All matching rules count; the first that is due
// applies.
type due struct {
	mu      sync.Mutex
	matches []int
}

// find returns the index of the rule that applies, or -1. A rule is due at its nth match, or at each where nth is 0.
func (d *due) find(rules int, match func(i int) (ok bool, nth int)) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.matches == nil {
		d.matches = make([]int, rules)
	}
	found := -1
	for i := range rules {
		ok, nth := match(i)
		if !ok {
			continue
		}
		d.matches[i]++
		if found < 0 && (nth == 0 || nth == d.matches[i]) {
			found = i
		}
	}
	return found
}

// reset closes a connection so that the other end learns of no orderly end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it is closed in any case
	}
	_ = conn.Close() // which is all that is wanted
}
