package lambda

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"net/http"
)

// events writes a stream in Amazon's encoding of events, each at once.
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func newEvents(w http.ResponseWriter) *events {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	return &events{w, http.NewResponseController(w)}
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
	if _, err := e.w.Write(event(payload, ":message-type", "event", ":event-type", kind, ":content-type", content)); err != nil {
		return err
	}
	return e.control.Flush()
}

// event encodes a message with headers of the type string: two lengths and their checksum, the headers, the payload, and
// the checksum of all.
func event(payload []byte, headers ...string) []byte {
	const prelude, checksum, text = 8, 4, 7
	m := make([]byte, prelude+checksum, prelude+checksum+128+len(payload)+checksum)
	for i := 0; i < len(headers); i += 2 {
		name, value := headers[i], headers[i+1]
		m = append(append(m, byte(len(name))), name...)
		m = append(binary.BigEndian.AppendUint16(append(m, text), uint16(len(value))), value...)
	}
	binary.BigEndian.PutUint32(m[4:], uint32(len(m)-prelude-checksum))
	m = append(m, payload...)
	binary.BigEndian.PutUint32(m, uint32(len(m)+checksum))
	binary.BigEndian.PutUint32(m[prelude:], crc32.ChecksumIEEE(m[:prelude]))
	return binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
}
