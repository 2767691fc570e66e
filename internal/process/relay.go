package process

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// What is kept of a worker's standard error for the case that it dies: the beginning of what looks like a crash, the
// lines before it, and the last ones.
const (
	keepCrash = 16 << 10
	keepLast  = 4 << 10
	longLine  = 64 << 10 // a longer line is passed on in pieces
)

// relay reads what a worker prints, passes it on line by line, and keeps the end of it.
type relay struct {
	worker string
	log    func(worker, line string)
	theirs []*os.File
	ours   []*os.File
	done   sync.WaitGroup

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
	for i, f := range r.ours {
		r.done.Go(func() { r.read(f, i == 1) })
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

func (r *relay) read(f *os.File, isError bool) {
	in := bufio.NewReaderSize(f, longLine)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			text, whole := bytes.CutSuffix(line, []byte("\n"))
			if whole { // in a piece of a line, a carriage return is the line's own
				text = bytes.TrimSuffix(text, []byte("\r"))
			}
			if isError {
				r.keep(text)
			}
			if r.log != nil {
				r.log(r.worker, string(text))
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if err != io.EOF && !errors.Is(err, os.ErrClosed) && r.log != nil {
				r.log(r.worker, "(its output could not be read further: "+err.Error()+")")
			}
			return
		}
	}
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
