package storage

import (
	"errors"
	"io"
)

// longestRow is where a row ends for want of a quote, and not of memory.
const longestRow = 64 << 20

var errLong = errors.New("the row is longer than 64 MiB: is a quote not closed?")

// limited ends a row that is too long as the end of the object would, which csv takes as an end and tells the line of.
type limited struct {
	r    io.Reader
	left int64
	cut  bool
	err  error // that r ended with, if not with io.EOF
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if l.left <= 0 {
		l.cut = true
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if err != nil && err != io.EOF { // a wrapped io.EOF is a lost connection
		l.err = err
	}
	return n, err
}
