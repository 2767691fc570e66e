package wire

import (
	"encoding/binary"
	"time"
)

// Loss says which class of error the end of a worker is.
type Loss uint8

// The classes of losses.
const (
	LossWorker    Loss = 1 + iota // it ended, for a reason that the message tells
	LossMemory                    // it went over its memory limit
	LossTimeout                   // it went over its time limit
	LossThrottled                 // no worker could be had now; nothing ran
	LossInvalid                   // this supervisor can never serve the request; nothing ran
	LossRefused                   // the supervisor lacks a permission; nothing ran
	LossCanceled                  // the driver asked for it
)

// Lost is what a supervisor tells of a worker that did not end its reply.
type Lost struct {
	Loss    Loss
	Worker  string // its name
	Message string
	Ran     time.Duration // how long it had served the request
	Output  string        // the last lines it wrote to standard error
}

// AppendLost appends the frame of a loss.
func AppendLost(dst []byte, l Lost) []byte {
	start := len(dst)
	dst = append(Begin(dst), byte(l.Loss))
	dst = appendBytes(dst, l.Worker)
	dst = appendBytes(dst, l.Message[:min(len(l.Message), maxText)])
	dst = appendBytes(dst, l.Output[:min(len(l.Output), maxText)])
	return Finish(binary.AppendUvarint(dst, uint64(l.Ran)), start, TypeLost)
}

// DecodeLost decodes the payload of a loss.
func DecodeLost(payload []byte) (Lost, error) {
	c := cursor{data: payload}
	l := Lost{Loss: Loss(c.byte("class")), Worker: c.string("worker"), Message: c.string("message"), Output: c.string("output"),
		Ran: time.Duration(c.size("time"))}
	return l, c.err
}
