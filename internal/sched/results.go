package sched

import (
	"fmt"
	"io"

	"github.com/gowren/gowren/internal/wire"
)

// Results takes the results in the reply to a request of so many tasks that is no batch of a runner's, such as an earlier
// driver's. What came before an error counts. Failures and lines are passed over.
func Results(reply io.Reader, tasks int, take func(position int, v Value) error) error {
	s := slots.Get().(*Slot)
	defer slots.Put(s)
	defer s.reader.Reset(nil)
	return frames(s, reply, func(t wire.Type, payload []byte) (*wire.End, error) {
		switch t {
		case wire.TypeResult, wire.TypeStored:
		case wire.TypeEnd, wire.TypeLeave:
			return &s.end, wire.DecodeEnd(payload, &s.end)
		case wire.TypeRefused:
			return nil, refusal(payload)
		default:
			return nil, nil
		}
		position, v, err := valueOf(t, payload)
		if err == nil && (position < 0 || position >= tasks) {
			err = fmt.Errorf("a result of task %d of %d: %w", position, tasks, wire.ErrCorrupt)
		}
		if err == nil {
			err = take(position, v)
		}
		return nil, err
	}).Err
}
