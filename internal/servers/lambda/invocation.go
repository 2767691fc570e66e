package lambda

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Lambda's limits of payloads, in bytes.
const (
	largestPayload = 6 << 20
	largestReply   = 6<<20 + 100
	largestStream  = 200 << 20
)

// invocation is one run of a function. Its reply comes in pieces on chunks; then over is closed, and when the
// environment is done with it, settled.
type invocation struct {
	id, trace, client string
	payload           []byte
	stream            bool // it was asked for as a stream
	kill, killLate    bool // faults: with the first byte in, and with the first byte out
	pooled            bool // it counts among those without a reserve

	deadline time.Time
	chunks   chan []byte
	once     sync.Once
	failed   *failure // valid once over
	over     chan struct{}
	report   []byte // the lines of the log, valid once settled
	settled  chan struct{}
}

// failure is a function error.
type failure struct {
	kind string
	body []byte // what Invoke answers
}

func newInvocation(payload []byte) *invocation {
	id := newID()
	return &invocation{
		id: id, payload: payload, trace: fmt.Sprintf("Root=1-%s-%s;Parent=%s;Sampled=0", id[:8], id[9:13]+id[14:18]+id[24:], id[19:23]+id[24:]),
		chunks: make(chan []byte), over: make(chan struct{}), settled: make(chan struct{}),
	}
}

// end ends the invocation, unless it has ended. It fails with f, or succeeds with nil.
func (v *invocation) end(f *failure) {
	v.once.Do(func() {
		v.failed = f
		close(v.over)
	})
}

// fail ends the invocation with an error that Lambda found.
func (v *invocation) fail(kind, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	body, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message}) // strings can be encoded
	v.end(&failure{kind, body})
}

// put passes a piece of the reply on. It returns false when nobody wants it any more.
func (v *invocation) put(piece []byte) bool {
	select {
	case v.chunks <- piece:
		return true
	case <-v.over:
		return false
	}
}

// each calls f with the pieces of the reply as they come, until the invocation is settled.
func (v *invocation) each(f func(piece []byte)) {
	for {
		select {
		case piece := <-v.chunks:
			f(piece)
			continue
		case <-v.over:
		}
		<-v.settled
		return
	}
}
