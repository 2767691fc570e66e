package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What is kept of a worker's standard error for the case that it dies: the beginning of what looks like a crash, the
// lines before it, and the last ones.
const (
	keepCrash = 16 << 10
	keepLast  = 4 << 10
)

// relay reads what a worker prints, passes it on line by line, and keeps the end of it.
type relay struct {
	worker  string
	log     func(worker, line string)
	theirs  []*os.File
	ours    []*os.File
	done    sync.WaitGroup
	passing [2]sync.Mutex // held, for each of ours, from reading bytes to passing their lines on

	mu     sync.Mutex
	before []byte // the last lines before the crash
	crash  []byte // from the latest first line of a crash on
	last   []byte // the last lines, without those in crash
}

func newRelay(cmd *exec.Cmd, worker string, log func(worker, line string)) (*relay, error) {
	r := &relay{worker: worker, log: log}
	for range 2 {
		ours, theirs, err := os.Pipe()
		if err != nil {
			r.close(r.ours, r.theirs)
			return r, err
		}
		r.ours, r.theirs = append(r.ours, ours), append(r.theirs, theirs)
	}
	cmd.Stdout, cmd.Stderr = r.theirs[0], r.theirs[1]
	return r, nil
}

// started is called when the process has its ends of the pipes, or never will.
func (r *relay) started() {
	r.close(r.theirs)
	for i := range r.ours {
		r.done.Go(func() { r.read(i) })
	}
}

// drain returns when all that the ended process wrote was read. A process that it left behind may hold the pipes open:
// then the wait is short.
func (r *relay) drain() {
	read := make(chan struct{})
	go func() { r.done.Wait(); close(read) }()
	select {
	case <-read:
	case <-time.After(200 * time.Millisecond):
	}
	r.close(r.ours)
	<-read
}

func (r *relay) close(lists ...[]*os.File) {
	for _, list := range lists {
		for _, f := range list {
			_ = f.Close() // pipes that were only read from, or handed over
		}
	}
}

// read passes on what comes out of a pipe. It reads without blocking and waits for the next bytes in between, so that
// settle can tell that it has all there is.
func (r *relay) read(i int) {
	conn, err := r.ours[i].SyscallConn()
	if err != nil {
		return // closed already
	}
	lines := liner{pass: func(line []byte) { r.pass(line, i == 1) }}
	buf := make([]byte, 32<<10)
	for {
		n, err := r.some(conn, i, buf, &lines)
		if n > 0 || err == nil {
			continue
		}
		lines.end()
		if err != io.EOF && !errors.Is(err, os.ErrClosed) && r.log != nil {
			r.log(r.worker, "(its output could not be read further: "+err.Error()+")")
		}
		return
	}
}

// some waits for bytes, and passes on the lines in them.
func (r *relay) some(conn syscall.RawConn, i int, buf []byte, lines *liner) (n int, err error) {
	closed := conn.Read(func(fd uintptr) bool {
		r.passing[i].Lock()
		defer r.passing[i].Unlock()
		if n, err = syscall.Read(int(fd), buf); err == syscall.EAGAIN {
			return false
		}
		switch {
		case err == syscall.EINTR:
			err = nil
		case n == 0 && err == nil:
			err = io.EOF
		case n > 0:
			lines.add(buf[:n])
		}
		return true
	})
	if err == nil {
		err = closed
	}
	return max(n, 0), err
}

func (r *relay) pass(line []byte, isError bool) {
	if isError {
		r.keep(line)
	}
	if r.log != nil {
		r.log(r.worker, string(line))
	}
}

// settle returns when all that the process has written so far was passed on, or after a short while.
func (r *relay) settle() {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Microsecond) { //nolint:forbidigo // it is bounded
		if r.empty(0) && r.empty(1) {
			return
		}
	}
}

// empty reports whether a pipe holds nothing that was not passed on.
func (r *relay) empty(i int) bool {
	waiting := 0
	conn, err := r.ours[i].SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) {
			r.passing[i].Lock()
			defer r.passing[i].Unlock()
			waiting, err = unix.IoctlGetInt(int(fd), inputQueue)
		})
	}
	return err != nil || waiting == 0
}

func (r *relay) keep(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
		// A program may print such a line and live on: the latest one counts.
		r.before = ending(append(r.crash, r.last...))
		r.crash, r.last = []byte{}, nil
	}
	if r.crash != nil && len(r.last) == 0 {
		if room := keepCrash - len(r.crash); room > len(line) {
			r.crash = append(append(r.crash, line...), '\n')
			return
		}
	}
	r.last = append(append(r.last, line...), '\n')
	if len(r.last) > 2*keepLast {
		r.last = append(r.last[:0], ending(r.last)...)
	}
}

// ending returns what is kept of the end of a text.
func ending(text []byte) []byte { return text[max(0, len(text)-keepLast):] }

func (r *relay) tail() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := string(r.before) + string(r.crash)
	if r.crash != nil && len(r.last) > 0 {
		text += "...\n"
	}
	return strings.ToValidUTF8(strings.TrimSpace(text+string(ending(r.last))), "\uFFFD")
}
