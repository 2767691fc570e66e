package wire

import (
	"encoding/binary"
	"time"

	"github.com/gowren/gowren/internal/times"
)

// AppendResult appends the frame of a task's result. Position counts the request's tasks from 0.
func AppendResult(dst []byte, position int, value []byte) []byte {
	start := len(dst)
	dst = binary.AppendUvarint(Begin(dst), uint64(position))
	return Finish(append(dst, value...), start, TypeResult)
}

// BeginResult appends the beginning of a result's frame, after which the value is appended and [Finish] called.
func BeginResult(dst []byte, position int) []byte {
	return binary.AppendUvarint(Begin(dst), uint64(position))
}

// DecodeResult returns a result's position and value, which refers to payload.
func DecodeResult(payload []byte) (int, []byte, error) {
	c := cursor{data: payload}
	position := c.int("position")
	return position, c.data, c.err
}

// Stored is a task's result that went to the bucket.
type Stored struct {
	Position int
	Key      string
	Size     int64
	Sum      uint32 // CRC-32C
}

// AppendStored appends the frame of a stored result.
func AppendStored(dst []byte, s Stored) []byte {
	start := len(dst)
	dst = binary.AppendUvarint(Begin(dst), uint64(s.Position))
	dst = appendBytes(dst, s.Key)
	dst = binary.AppendUvarint(dst, uint64(s.Size))
	dst = binary.AppendUvarint(dst, uint64(s.Sum))
	return Finish(dst, start, TypeStored)
}

// DecodeStored decodes the payload of a stored result.
func DecodeStored(payload []byte) (Stored, error) {
	c := cursor{data: payload}
	s := Stored{Position: c.int("position"), Key: c.string("key"), Size: c.size("size"), Sum: c.sum()}
	return s, c.err
}

// Cause says why a task failed.
type Cause uint8

// The causes of failures that a worker reports.
const (
	CauseError   Cause = 1 + iota // the function returned an error
	CausePanic                    // the function panicked
	CauseTimeout                  // the function ran longer than it was allowed
	CauseInput                    // the input could not be read or decoded
	CauseResult                   // the result could not be encoded or stored
)

// Failure is what is told of a failed task.
type Failure struct {
	Position int
	Cause    Cause
	Again    bool // another attempt may help
	Message  string
	Stack    string
}

// The most that a failure says: a message or stack is cut there.
const maxText = 64 << 10

// AppendFailed appends the frame of a failure.
func AppendFailed(dst []byte, f Failure) []byte {
	start := len(dst)
	dst = binary.AppendUvarint(Begin(dst), uint64(f.Position))
	again := byte(0)
	if f.Again {
		again = 1
	}
	dst = append(dst, byte(f.Cause), again)
	dst = appendBytes(dst, f.Message[:min(len(f.Message), maxText)])
	dst = appendBytes(dst, f.Stack[:min(len(f.Stack), maxText)])
	return Finish(dst, start, TypeFailed)
}

// DecodeFailed decodes the payload of a failure.
func DecodeFailed(payload []byte) (Failure, error) {
	c := cursor{data: payload}
	f := Failure{Position: c.int("position"), Cause: Cause(c.byte("cause")), Again: c.byte("retry mark") != 0,
		Message: c.string("message"), Stack: c.string("stack")}
	return f, c.err
}

// Log is a line that a task, or the worker between tasks, has for the log.
type Log struct {
	Position int // of the task; -1 is none
	Text     string
}

// AppendLog appends the frame of a log line.
func AppendLog(dst []byte, l Log) []byte {
	start := len(dst)
	dst = binary.AppendUvarint(Begin(dst), uint64(l.Position+1))
	dst = appendBytes(dst, l.Text[:min(len(l.Text), maxText)])
	return Finish(dst, start, TypeLog)
}

// DecodeLog decodes the payload of a log line.
func DecodeLog(payload []byte) (Log, error) {
	c := cursor{data: payload}
	l := Log{Position: c.int("position") - 1, Text: c.string("text")}
	return l, c.err
}

// End closes a reply. Tasks for which nothing came were not begun, or given up without blame: they can run elsewhere.
type End struct {
	Ran  int           // tasks that ran
	Busy time.Duration // how long they ran, added up

	Worker  string          // the process: a name that no other has
	Before  int             // requests that it had served before
	CPU     time.Duration   // its CPU time since the one before
	Peak    int64           // the most memory that it has had, in bytes
	Times   times.Histogram // of the tasks
	Slowest []Slow          // of the tasks, the slowest first; a few at most
	Store   [8]int64        // what it asked of stores since: requests by their kind, in order, then retries, bytes sent and received
}

// Slow is how long a task took.
type Slow struct {
	Position int
	Took     time.Duration
}

// AppendEnd appends the frame that ends a reply; t is TypeEnd or TypeLeave.
func AppendEnd(dst []byte, t Type, e *End) []byte {
	start := len(dst)
	dst = binary.AppendUvarint(Begin(dst), uint64(e.Ran))
	dst = binary.AppendUvarint(dst, uint64(e.Busy))
	dst = appendBytes(dst, e.Worker)
	dst = binary.AppendUvarint(dst, uint64(e.Before))
	dst = binary.AppendUvarint(dst, uint64(e.CPU))
	dst = binary.AppendUvarint(dst, uint64(e.Peak))
	dst = e.Times.Append(dst)
	dst = binary.AppendUvarint(dst, uint64(len(e.Slowest)))
	for _, s := range e.Slowest {
		dst = binary.AppendUvarint(dst, uint64(s.Position))
		dst = binary.AppendUvarint(dst, uint64(s.Took))
	}
	for _, n := range e.Store {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return Finish(dst, start, t)
}

// DecodeEnd decodes the payload of an end into e, whose slice it reuses.
func DecodeEnd(payload []byte, e *End) error {
	c := cursor{data: payload}
	*e = End{
		Ran: c.int("count"), Busy: time.Duration(c.size("time")), Worker: c.string("worker"), Before: c.int("count of requests"),
		CPU: time.Duration(c.size("CPU time")), Peak: c.size("memory"), Slowest: e.Slowest[:0],
	}
	if c.err == nil {
		var err error
		if c.data, err = e.Times.Decode(c.data); err != nil {
			c.fail("histogram")
		}
	}
	n := c.int("number of slow tasks")
	if n > len(c.data) { // each takes more than a byte
		c.fail("number of slow tasks")
	}
	for range n {
		if c.err != nil {
			break
		}
		e.Slowest = append(e.Slowest, Slow{c.int("position"), time.Duration(c.size("time"))})
	}
	for k := range e.Store {
		e.Store[k] = c.size("count of requests or bytes")
	}
	return c.err
}

// AppendRefused appends the frame of a request that the worker cannot serve, with the reason and what to do.
func AppendRefused(dst []byte, reason string) []byte {
	start := len(dst)
	return Finish(appendBytes(Begin(dst), reason[:min(len(reason), maxText)]), start, TypeRefused)
}

// DecodeRefused returns the reason.
func DecodeRefused(payload []byte) (string, error) {
	c := cursor{data: payload}
	reason := c.string("reason")
	return reason, c.err
}
