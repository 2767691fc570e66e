package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

// cutOff is a bucket whose every Get fails as the HTTP client does when a server hangs up.
type cutOff struct{ Bucket }

func (cutOff) Get(context.Context, string, int64, int64) (io.ReadCloser, error) {
	return nil, fmt.Errorf("Get \"http://x\": %w", io.EOF)
}

// TestLinesLostConnection is that the end of a connection is not taken for the end of an object.
func TestLinesLostConnection(t *testing.T) {
	t.Parallel()
	for _, off := range []int64{0, 5} {
		var last error
		in := &input{ctx: t.Context(), b: cutOff{}, s: Split{Key: "k", Off: off, Len: 5, Size: 10}, buffer: 64}
		in.lines(func(_ []byte, err error) bool {
			last = err
			return true
		})
		if !errors.Is(last, io.EOF) {
			t.Errorf("a split from %d on ends with %v, want the error", off, last)
		}
	}
}
