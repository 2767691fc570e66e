package lambda

import (
	"encoding/base64"
	"net"
	"net/http"
)

// invokeWithResponseStream is the operation of that name. What has gone wrong is in the last event.
func invokeWithResponseStream(c *call) (int, any, error) {
	kind := c.r.Header.Get("X-Amz-Invocation-Type")
	switch kind {
	case "":
		kind = "RequestResponse"
	case "RequestResponse", "DryRun":
	default:
		return 0, nil, constraint("invocationType", kind, "Member must satisfy enum value set: [RequestResponse, DryRun]")
	}
	v, err := c.invocation(kind)
	if err != nil {
		return 0, nil, err
	}
	if kind == "DryRun" {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		if _, err := c.invocable(); err != nil {
			return 0, nil, err
		}
		return http.StatusNoContent, nil, nil
	}
	v.stream = true
	if err := c.start(v); err != nil {
		return 0, nil, err
	}
	drop := c.s.take(func(f *Faults) *int { return &f.DropReply })
	reset := c.s.take(func(f *Faults) *int { return &f.ResetStream })
	out := newEvents(c.w)
	gone := drop
	v.each(func(piece []byte) { // to its end, even if nobody listens: the function goes on
		if gone {
			return
		}
		gone = out.chunk(piece) != nil
		if reset {
			c.reset()
			gone = true
		}
	})
	if drop {
		panic(http.ErrAbortHandler)
	}
	if gone {
		return 0, nil, nil
	}
	tail := ""
	if c.r.Header.Get("X-Amz-Log-Type") == "Tail" {
		tail = base64.StdEncoding.EncodeToString(v.tail())
	}
	_ = out.complete(v.failed, tail) // the client may have gone
	return 0, nil, nil
}

// reset resets the connection, so that the client's next read fails.
func (c *call) reset() {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
