package lambda

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// tailSize is how much of an invocation's lines LogType Tail gives, in bytes. takeSize bounds what is kept of them.
const (
	tailSize = 4 << 10
	takeSize = 64 << 10
)

// output reads what the processes of an environment print.
type output struct {
	r    *os.File
	log  *logGroup
	done chan struct{}

	mu    sync.Mutex
	lines []byte        // of the invocation
	ack   chan struct{} // who waits for sync
}

func newOutput(r *os.File, log *logGroup) *output {
	return &output{r: r, log: log, done: make(chan struct{})}
}

// read reads until all that can print is gone.
func (o *output) read() {
	defer close(o.done)
	defer o.r.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := o.r.Read(buf)
		o.add(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o.drain(buf)
			continue
		}
		if err != nil {
			return
		}
	}
}

// sync returns when all that was printed before is taken in.
func (o *output) sync() {
	ack := make(chan struct{})
	o.mu.Lock()
	o.ack = ack
	o.mu.Unlock()
	if o.r.SetReadDeadline(time.Unix(1, 0)) != nil {
		return // it is closed, and all is read
	}
	select {
	case <-ack:
	case <-o.done:
	}
}

// drain reads what is there now, and tells the one who waits for it.
func (o *output) drain(buf []byte) {
	if o.r.SetReadDeadline(time.Time{}) != nil {
		return
	}
	raw, err := o.r.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(fd uintptr) bool {
		for {
			n, err := syscall.Read(int(fd), buf)
			if n <= 0 && !errors.Is(err, syscall.EINTR) {
				return true
			}
			o.add(buf[:max(n, 0)])
		}
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.ack)
	o.ack = nil
}

func (o *output) add(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = bounded(append(o.lines, p...), takeSize)
	o.log.add(p)
}

// take returns the invocation's lines, and begins those of the next.
func (o *output) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := o.lines
	o.lines = nil
	return lines
}

// bounded returns the last bytes of p.
func bounded(p []byte, size int) []byte {
	if len(p) > 2*size {
		p = append([]byte{}, p[len(p)-size:]...)
	}
	return p
}

// report is what the log has of an invocation.
func report(v *invocation, d *deployment, lines []byte, took time.Duration, peak int64, cold bool) []byte {
	ms := float64(took.Microseconds()) / 1000
	text := fmt.Appendf(nil, "START RequestId: %s Version: $LATEST\n%s", v.id, lines)
	if n := len(text); text[n-1] != '\n' {
		text = append(text, '\n')
	}
	text = fmt.Appendf(text, "END RequestId: %s\nREPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		v.id, v.id, ms, int(ms)+1, d.config.MemorySize, min((peak+1<<20-1)>>20, int64(d.config.MemorySize)))
	if cold {
		text = fmt.Appendf(text, "Init Duration: %.2f ms\t", ms)
	}
	if v.failed != nil {
		switch v.failed.kind {
		case "Sandbox.Timedout":
			text = append(text, "Status: timeout"...)
		default:
			text = fmt.Appendf(text, "Status: error\tError Type: %s", v.failed.kind)
		}
	}
	return append(text, '\n')
}

// tail is what LogType Tail gives of it.
func (v *invocation) tail() []byte { return v.report[max(0, len(v.report)-tailSize):] }
