package backendtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// useCases: executors are used by many at once.
var useCases = []testCase{
	{name: "use/many calls at once", run: func(t *testing.T, h *harness) {
		ex := h.executor(t, mapper.Options{})
		done := make(chan error)
		const callers = 50
		for i := range callers {
			go func() {
				for j := range 5 {
					got, err := mapper.Call(t.Context(), ex, echo, 10*i+j)
					if err == nil && got != 10*i+j {
						err = fmt.Errorf("%d came back for %d", got, 10*i+j)
					}
					if err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range callers {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}},
	{name: "use/two executors at once", run: func(t *testing.T, h *harness) {
		other, err := mapper.New(t.Context(), h.open(t, h.bucket), h.bucket, mapper.Options{Log: h.log, Quiet: true})
		if err != nil {
			t.Fatal(err)
		}
		first := h.executor(t, mapper.Options{BatchSize: 7})
		done := make(chan error)
		for _, ex := range []*mapper.Executor{first, other} {
			go func() {
				got, err := mapper.Map(t.Context(), ex, echo, ints(2000))
				if err == nil && !slices.Equal(got, ints(2000)) {
					err = errors.New("a job beside another executor's has wrong results")
				}
				done <- err
			}()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}},
	{name: "use/jobs beside failing ones", run: func(t *testing.T, h *harness) {
		ex := h.executor(t, mapper.Options{BatchSize: 10})
		done := make(chan error)
		for i := range 8 {
			go func() {
				if i%2 == 0 {
					_, err := mapper.Map(t.Context(), ex, do, []order{{}, {What: "panic"}})
					if !errors.Is(err, mapper.ErrPanic) {
						done <- fmt.Errorf("a job with a panic ends with %w", err)
						return
					}
					done <- nil
					return
				}
				got, err := mapper.Map(t.Context(), ex, echo, ints(200))
				if err == nil && !slices.Equal(got, ints(200)) {
					err = errors.New("a job beside failing ones has wrong results")
				}
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}},
}
