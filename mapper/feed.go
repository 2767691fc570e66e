package mapper

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"github.com/gowren/gowren/serialize"
)

// feedFunc pushes encoded inputs; see [sched.Job].
type feedFunc func(ctx context.Context, push func(data []byte) bool) error

// feedSlice encodes inputs and pushes them.
func feedSlice[In any](inputs []In) feedFunc {
	return func(_ context.Context, push func([]byte) bool) error {
		var a arena
		for i := range inputs {
			data, err := a.encode(&inputs[i])
			if err != nil {
				return fmt.Errorf("input %d: %w", i, err)
			}
			if !push(data) {
				return nil
			}
		}
		return nil
	}
}

// iteratorPatience is how long an ended job waits for an iterator of inputs to come back.
const iteratorPatience = time.Second

// feedSeq encodes what an iterator yields and pushes it. The iterator's error ends the job, and so does its panic.
//
// The iterator has a goroutine of its own: it may wait for the results of earlier inputs, which never come once the job
// has failed, and the job must end all the same. It is then left behind; its next step is its last.
func feedSeq[In any](inputs iter.Seq2[In, error]) feedFunc {
	return func(ctx context.Context, push func([]byte) bool) error {
		fed := make(chan error, 1)
		go func() {
			err := errors.New("the iterator of inputs called runtime.Goexit (testing's FailNow does); yield an error instead")
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("the iterator of inputs panicked: %v\n%s", p, debug.Stack())
				}
				fed <- err
			}()
			err = drain(inputs, push)
		}()
		select {
		case err := <-fed:
			return err
		case <-ctx.Done():
		}
		select {
		case err := <-fed: // it does not replace the reason why the job ended
			return err
		case <-time.After(iteratorPatience):
			return nil
		}
	}
}

func drain[In any](inputs iter.Seq2[In, error], push func([]byte) bool) error {
	var a arena
	i := 0
	for in, err := range inputs {
		if err != nil {
			return fmt.Errorf("input %d could not be had: %w", i, err)
		}
		data, err := a.encode(&in)
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if !push(data) {
			return nil
		}
		i++
	}
	return nil
}

// arena encodes many small values into few allocations.
type arena struct {
	coder serialize.Coder
	buf   []byte
	size  int
}

// The blocks of an arena grow, so that a job of one small task takes little.
const (
	smallBlock = 512
	largeBlock = 64 << 10
)

func (a *arena) encode(v any) ([]byte, error) {
	if cap(a.buf)-len(a.buf) < a.size/8+1 {
		a.size = min(max(2*a.size, smallBlock), largeBlock)
		a.buf = make([]byte, 0, a.size)
	}
	used := len(a.buf)
	data, err := a.coder.Append(a.buf[used:], v)
	if err != nil {
		return nil, err
	}
	if len(data) <= cap(a.buf)-used { // else it has memory of its own
		a.buf = a.buf[:used+len(data)]
	}
	return data[:len(data):len(data)], nil
}
