package progress

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// recorder is a writer that keeps each write.
type recorder struct {
	mu     sync.Mutex
	writes []string
	busy   atomic.Bool
}

func (r *recorder) Write(p []byte) (int, error) {
	if !r.busy.CompareAndSwap(false, true) {
		return 0, errors.New("two writes at once")
	}
	defer r.busy.Store(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, string(p))
	return len(p), nil
}

// take returns what was written since the last call.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.writes
	r.writes = nil
	return got
}

// terminal is a recorder that has a width.
type terminal struct {
	recorder
	columns atomic.Int64
}

func newTerminal(columns int) *terminal {
	t := &terminal{}
	t.columns.Store(int64(columns))
	return t
}

func (t *terminal) width() (int, bool) { return int(t.columns.Load()), true }

// screenOf plays writes as a terminal would, and returns the lines that are seen. It fails the test at any control that a
// view should not write, and at any write that leaves a line half done.
func screenOf(t *testing.T, writes []string) []string {
	t.Helper()
	lines, at := []string{""}, 0 // at is the column, in bytes, on the last line
	for _, w := range writes {
		for i := 0; i < len(w); i++ {
			last := &lines[len(lines)-1]
			switch c := w[i]; {
			case c == '\r':
				at = 0
			case c == '\n':
				lines, at = append(lines, ""), 0
			case strings.HasPrefix(w[i:], "\x1b[K"):
				*last = (*last)[:at]
				i += 2
			case c < ' ' && c != '\t' || c == 0x7f:
				t.Fatalf("control character %#x in %q", c, w)
			default:
				*last = (*last)[:at] + string(c) + (*last)[min(at+1, len(*last)):]
				at++
			}
		}
	}
	return lines
}

// fixed returns counts that stay.
func fixed(c Counts) func() Counts { return func() Counts { return c } }
