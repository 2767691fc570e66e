package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/storage"
)

// TestLeaveEarly ends the iteration in every way. What reads in the background has ended by then, which TestMain looks
// for once more.
func TestLeaveEarly(t *testing.T) {
	b := put(t, []byte(eights(200_000)))
	for reader, read := range readers(t) {
		if reader == "overlaps" {
			continue // a single record
		}
		for _, s := range splitsOf(t, b, 800_000) {
			before := goleak.IgnoreCurrent()
			for _, err := range read(s) {
				if err != nil {
					t.Error(err)
				}
				break
			}
			func() {
				defer func() {
					if p := recover(); p != "the loop's own" {
						t.Errorf("%s: panic %v", reader, p)
					}
				}()
				for _, err := range read(s) {
					t.Logf("%s: %v", reader, err)
					panic("the loop's own")
				}
			}()
			left := make(chan bool)
			go func() {
				defer close(left)
				for _, err := range read(s) {
					t.Logf("%s: %v", reader, err)
					runtime.Goexit()
				}
			}()
			<-left
			if err := goleak.Find(before); err != nil {
				t.Errorf("%s: %v", reader, err)
			}
		}
	}
}

// TestContextEnds ends ctx before, and amid the reading.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	b := put(t, []byte(eights(400_000)))
	s := splitsOf(t, b, 3_000_000)[0]
	for _, after := range []int{0, 1, 1000} {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		if after == 0 {
			cancel()
		}
		var last error
		for _, err := range storage.Lines(ctx, s) {
			if last = err; err != nil {
				break
			}
			if n++; n == after {
				cancel()
			}
		}
		if !errors.Is(last, context.Canceled) || !errors.As(last, new(*storage.Error)) || n > after+200_000 {
			t.Errorf("%d lines, %v", n, last)
		}
		cancel()
	}
}

// stuck is a store that does not answer until ctx ends.
type stuck struct{ storage.Bucket }

func (stuck) Get(ctx context.Context, _ string, _, _ int64) (io.ReadCloser, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestContextEndsStuckRead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	go cancel(cause)
	for _, err := range storage.LinesFrom(ctx, stuck{}, storage.Split{Key: "k", Len: 1, Size: 1}, 10) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
}

// broken is a driver with a fault.
type broken struct{ storage.Bucket }

func (broken) Get(context.Context, string, int64, int64) (io.ReadCloser, error) {
	return io.NopCloser(brokenReader{}), nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { panic("index out of range") }

// idle is one that delivers nothing.
type idle struct{ storage.Bucket }

func (idle) Get(context.Context, string, int64, int64) (io.ReadCloser, error) {
	return io.NopCloser(idleReader{}), nil
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// TestFaultyDriver is that a panic in the background is an error of the reading, and does not end the process.
func TestFaultyDriver(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]storage.Bucket{"index out of range": broken{}, io.ErrNoProgress.Error(): idle{}} {
		n := 0
		for _, err := range storage.LinesFrom(t.Context(), b, storage.Split{Key: "k", Len: 1, Size: 1}, 10) {
			if n++; !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%v", err)
			}
		}
		if n != 1 {
			t.Errorf("%d steps", n)
		}
	}
}
