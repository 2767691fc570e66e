package servers

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"testing"
)

// LinkRule says which requests through a [Link] fail, and how. What a client sends in one go is a request to it. The
// first rule that matches and is due applies; the others count all the same.
type LinkRule struct {
	Sent string // what the request holds; empty matches all
	Nth  int    // makes the rule due at the n-th match alone, counted from 1; 0: at each

	Fault Fault
	At    int64
}

// Link stands between a client and a server of any protocol over TCP in which the client speaks first and each request
// gets an answer. It ends with the test.
type Link struct {
	Addr string // that a client is given

	target string
	listen net.Listener
	all    sync.WaitGroup

	mu     sync.Mutex
	rules  []LinkRule
	due    *due
	conns  []net.Conn // of both sides
	number int        // of connections that clients have made
	closed bool
}

// NewLink returns a link to the server at addr, under rules.
func NewLink(t testing.TB, addr string, rules ...LinkRule) *Link {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{Addr: listen.Addr().String(), target: addr, listen: listen}
	l.Set(rules...)
	l.all.Go(l.serve)
	t.Cleanup(func() {
		_ = listen.Close() // a second time does no harm
		l.Hang()
		l.all.Wait()
	})
	return l
}

// Set replaces the rules, and begins to count anew.
func (l *Link) Set(rules ...LinkRule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules, l.due = slices.Clone(rules), &due{}
}

// Connections returns how many connections clients have made.
func (l *Link) Connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.number
}

// Hang ends the link: all connections are reset, and further ones are.
func (l *Link) Hang() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, conn := range l.conns {
		reset(conn)
	}
}

// serve takes connections until the test ends.
func (l *Link) serve() {
	for {
		client, err := l.listen.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.number++
		l.mu.Unlock()
		server, err := net.Dial("tcp", l.target)
		if err != nil {
			reset(client)
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, client, server)
		if l.closed {
			reset(client)
			reset(server)
		}
		l.mu.Unlock()
		w := &wire{client: client, server: server}
		l.all.Go(func() { l.requests(w) })
		l.all.Go(func() { w.answers() })
	}
}

// find returns the rule that applies to a request.
func (l *Link) find(request []byte) *LinkRule {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.due.find(len(l.rules), func(i int) (bool, int) {
		return bytes.Contains(request, []byte(l.rules[i].Sent)), l.rules[i].Nth
	})
	if i < 0 {
		return nil
	}
	return &l.rules[i]
}

// wire is one connection through a link.
type wire struct {
	client, server net.Conn

	mu   sync.Mutex
	rule *LinkRule // for the answers
	left int64     // bytes before it strikes
}

// requests passes on what the client sends.
func (l *Link) requests(w *wire) {
	defer reset(w.server)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.client.Read(buf)
		if err != nil {
			return
		}
		if rule := l.find(buf[:n]); rule != nil {
			switch rule.Fault {
			case Reset:
				reset(w.client)
				return
			case Stall:
				for err == nil { // until the client gives up
					_, err = w.client.Read(buf)
				}
				return
			}
			w.mu.Lock()
			w.rule, w.left = rule, rule.At
			w.mu.Unlock()
		}
		if _, err := w.server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// answers passes on what the server answers.
func (w *wire) answers() {
	defer reset(w.client)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.server.Read(buf)
		if err != nil {
			return
		}
		pass, end := w.spoil(buf[:n])
		_, err = w.client.Write(pass)
		if err == nil && end && len(pass) > 0 {
			err = w.client.Close() // in order: a reset may overtake what was just passed on
		}
		if err != nil || end {
			return
		}
	}
}

// spoil applies the rule to a piece of an answer. It returns what is to be passed on, and whether that is the end.
func (w *wire) spoil(p []byte) (pass []byte, end bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rule == nil {
		return p, false
	}
	keep := min(int64(len(p)), w.left)
	w.left -= keep
	struck := keep < int64(len(p))
	switch w.rule.Fault {
	case Lose:
		return nil, true
	case Cut:
		return p[:keep], struck
	case StallAt:
		return p[:keep], false
	case FlipAnswer:
		if struck {
			p[keep] ^= 1
			w.rule = nil
		}
	}
	return p, false
}
