package progress

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminalWidth returns a function that tells the number of columns of w now, or nil if w is no terminal.
func terminalWidth(w io.Writer) func() (columns int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	is := false
	withFD(f, func(fd int) { is = term.IsTerminal(fd) })
	if !is {
		return nil
	}
	return func() (int, bool) {
		columns, err := 0, os.ErrClosed
		withFD(f, func(fd int) { columns, _, err = term.GetSize(fd) })
		return columns, err == nil
	}
}

// withFD calls do with f's descriptor while f is open. [os.File.Fd] would do, but it makes the file blocking, and the file
// is the user's.
func withFD(f *os.File, do func(fd int)) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	// The error says that f is closed; then do was not called.
	_ = conn.Control(func(fd uintptr) { do(int(fd)) })
}
