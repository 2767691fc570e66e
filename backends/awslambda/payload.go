package awslambda

import (
	"encoding/json"
	"fmt"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// Lambda's limits of payloads, in bytes.
const (
	largestPayload = 6 << 20
	largestEvent   = 256 << 10 // what every region takes; some take 1 MB
	overhead       = 4 << 10   // of JSON around a request, with the bucket's URL
	maxRequest     = (largestPayload - overhead) / 4 * 3
	maxEvent       = (largestEvent - overhead) / 4 * 3
	// inlineReply is how long a reply may be that goes into an answer as base64: Lambda takes 6 MB.
	inlineReply = 4 << 20
)

// payloadVersion is that of the payloads, which the functions' names carry.
const payloadVersion = 1

// The ways that a reply takes.
const (
	replyStream = "stream" // the frames are the function's response stream
	replyInline = "inline" // the frames are in an answer; a reply that is too long goes through the bucket
	replyKey    = "key"    // the frames are in the bucket, at ReplyKey
)

// message is the payload of an invocation.
type message struct {
	Gowren     int    `json:"gowren"` // payloadVersion
	Ping       bool   `json:"ping,omitempty"`
	Look       bool   `json:"look,omitempty"` // with Ping: reach for the bucket
	Hold       int    `json:"hold,omitempty"` // with Ping: milliseconds until the answer
	Invocation string `json:"invocation,omitempty"`
	Program    string `json:"program,omitempty"`
	Bucket     string `json:"bucket,omitempty"`
	Request    []byte `json:"request,omitempty"`
	RequestKey string `json:"requestKey,omitempty"` // where the bucket has the request
	Reply      string `json:"reply,omitempty"`
	ReplyKey   string `json:"replyKey,omitempty"`
}

// answer is what a function answers to a request of which the reply is inline.
type answer struct {
	Gowren int    `json:"gowren"`
	Frames []byte `json:"frames,omitempty"`
	Key    string `json:"key,omitempty"` // where the bucket has them instead
}

// status is what a function answers to a ping.
type status struct {
	Gowren   int    `json:"gowren"`
	Protocol int    `json:"protocol"`
	Worker   string `json:"worker"`
	Program  string `json:"program"` // SHA-256 of the deployed one
	Bucket   string `json:"bucket"`
	Problem  string `json:"problem,omitempty"` // why it does not reach the bucket, where it was to look
	Refused  bool   `json:"refused,omitempty"` // with Problem: the store refused
}

// unreached is the error of workers that do not reach their bucket, or nil. Another deployment would not mend that.
func (s status) unreached(function string) error {
	if s.Problem == "" {
		return nil
	}
	err := fmt.Errorf("awslambda: workers of %s do not reach the bucket %s: %s", function, s.Bucket, s.Problem)
	if s.Refused {
		return fmt.Errorf("%w: give their role the policy of docs/aws.md: %w", err, backends.ErrRefused)
	}
	return fmt.Errorf("%w: it must be reachable from where they run", err)
}

// encode makes a payload. All its fields can be encoded.
func (m message) encode() []byte {
	m.Gowren = payloadVersion
	data, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return data
}

// decodeStatus reads the answer to a ping, and checks that it can work with this driver.
func decodeStatus(payload []byte, bucket string) (status, error) {
	var s status
	if err := json.Unmarshal(payload, &s); err != nil || s.Gowren == 0 {
		return s, fmt.Errorf("it answers a ping with %.200q, which is no gowren worker's answer", payload)
	}
	switch {
	case s.Gowren != payloadVersion || s.Protocol != wire.Version:
		return s, fmt.Errorf("it speaks version %d of the protocol, in payloads of version %d; this program has %d and %d", s.Protocol, s.Gowren, wire.Version, payloadVersion)
	case s.Bucket != bucket:
		return s, fmt.Errorf("it was deployed for the bucket %q, and this program uses %q: %w", s.Bucket, bucket, backends.ErrInvalid)
	}
	return s, nil
}
