package wire

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Request is what one worker is asked to do: a batch of tasks of one job.
type Request struct {
	Job      string
	Function string
	Types    string        // the function's signature, as the driver has it
	Timeout  time.Duration // for one task; 0 is none
	Budget   time.Duration // for the whole request; 0 is none
	Inline   int           // a result larger than this goes to the bucket
	Room     int           // for all results in the reply together; what no longer fits goes to the bucket; 0 is no bound
	Prefix   string        // of the keys of such results
	Shared   Shared        // the argument that all tasks share
	Object   string        // where set, the inputs lie one after another in this object, and tasks carry sizes alone
	Tasks    []Task
}

// Shared is the argument that all tasks of a job share. A worker keeps it by its hash.
type Shared struct {
	Hash string // SHA-256; empty where there is none
	Data []byte // the encoded argument, unless it is in the bucket
	Key  string // where in the bucket
}

// Task is one call of a function.
type Task struct {
	Index   int64 // in the job
	Attempt int   // from 1
	Data    []byte
	Offset  int64 // of the input in the request's Object
	Size    int64 // of the input
}

// AppendRequest appends the frame of a request.
func AppendRequest(dst []byte, r *Request) []byte {
	start := len(dst)
	dst = Begin(dst)
	dst = appendBytes(dst, r.Job)
	dst = appendBytes(dst, r.Function)
	dst = appendBytes(dst, r.Types)
	dst = binary.AppendUvarint(dst, uint64(r.Timeout))
	dst = binary.AppendUvarint(dst, uint64(r.Budget))
	dst = binary.AppendUvarint(dst, uint64(r.Inline))
	dst = binary.AppendUvarint(dst, uint64(r.Room))
	dst = appendBytes(dst, r.Prefix)
	dst = appendBytes(dst, r.Shared.Hash)
	dst = appendBytes(dst, r.Shared.Data)
	dst = appendBytes(dst, r.Shared.Key)
	dst = appendBytes(dst, r.Object)
	dst = binary.AppendUvarint(dst, uint64(len(r.Tasks)))
	for i := range r.Tasks {
		t := &r.Tasks[i]
		dst = binary.AppendUvarint(dst, uint64(t.Index))
		dst = binary.AppendUvarint(dst, uint64(t.Attempt))
		if r.Object != "" {
			dst = binary.AppendUvarint(dst, uint64(t.Offset))
			dst = binary.AppendUvarint(dst, uint64(t.Size))
			continue
		}
		dst = appendBytes(dst, t.Data)
	}
	return Finish(dst, start, TypeRequest)
}

// DecodeRequest decodes a request's payload into r, whose slice of tasks it reuses. Data refer to payload.
func DecodeRequest(payload []byte, r *Request) error {
	c := cursor{data: payload}
	tasks := r.Tasks[:0]
	*r = Request{
		Job:      c.string("job"),
		Function: c.string("function"),
		Types:    c.string("types"),
		Timeout:  time.Duration(c.size("time-out")),
		Budget:   time.Duration(c.size("budget")),
		Inline:   c.int("inline limit"),
		Room:     c.int("room for results"),
		Prefix:   c.string("prefix"),
		Shared:   Shared{Hash: c.string("hash"), Data: c.bytes("shared argument"), Key: c.string("key")},
		Object:   c.string("object"),
	}
	n := c.size("number of tasks")
	if n > int64(len(c.data)) { // a task takes more than a byte
		c.fail("number of tasks")
	}
	for i := int64(0); i < n && c.err == nil; i++ {
		t := Task{Index: c.size("index"), Attempt: c.int("attempt")}
		if r.Object != "" {
			t.Offset, t.Size = c.size("offset"), c.size("size")
		} else {
			t.Data = c.bytes("input")
			t.Size = int64(len(t.Data))
		}
		tasks = append(tasks, t)
	}
	r.Tasks = tasks
	return c.err
}

// OpenRequest returns the payload of body, which must be one whole request frame.
func OpenRequest(body []byte) ([]byte, error) {
	if len(body) < headerSize {
		return nil, fmt.Errorf("wire: a request of %d bytes: %w", len(body), ErrCorrupt)
	}
	n, t, err := header(body)
	if err != nil {
		return nil, err
	}
	payload := body[headerSize:]
	if t != TypeRequest || n != len(payload) {
		return nil, fmt.Errorf("wire: a request that is a frame of type %d with %d of %d bytes: %w", t, len(payload), n, ErrCorrupt)
	}
	if sum(body) != binary.LittleEndian.Uint32(body[6:]) {
		return nil, fmt.Errorf("wire: a request of %d bytes was changed on the way (checksum): %w", n, ErrCorrupt)
	}
	return payload, nil
}
