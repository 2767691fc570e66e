package lambda

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
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

// events writes a stream of Lambda's, and each event at once.
type events struct {
	w       http.ResponseWriter
	encoder *eventstream.Encoder
	flusher *http.ResponseController
}

func newEvents(w http.ResponseWriter) *events {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	return &events{w, eventstream.NewEncoder(), http.NewResponseController(w)}
}

func (e *events) chunk(piece []byte) error {
	return e.write("PayloadChunk", "application/octet-stream", piece)
}

// complete writes the last event. Of a failure it has the type, and the details as Invoke would answer them.
func (e *events) complete(f *failure, log string) error {
	var last struct {
		ErrorCode    string `json:",omitempty"`
		ErrorDetails string `json:",omitempty"`
		LogResult    string `json:",omitempty"`
	}
	if last.LogResult = log; f != nil {
		last.ErrorCode, last.ErrorDetails = f.kind, string(f.body)
	}
	payload, err := json.Marshal(last)
	if err != nil {
		return err
	}
	return e.write("InvokeComplete", "application/json", payload)
}

func (e *events) write(kind, content string, payload []byte) error {
	err := e.encoder.Encode(e.w, eventstream.Message{
		Headers: eventstream.Headers{
			{Name: ":message-type", Value: eventstream.StringValue("event")},
			{Name: ":event-type", Value: eventstream.StringValue(kind)},
			{Name: ":content-type", Value: eventstream.StringValue(content)},
		},
		Payload: payload,
	})
	if err != nil {
		return err
	}
	return e.flusher.Flush()
}
