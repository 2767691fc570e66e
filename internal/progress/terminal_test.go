package progress

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	if terminalWidth(file) != nil {
		t.Error("a file is taken for a terminal")
	}
	file.Close()
	if terminalWidth(file) != nil {
		t.Error("a closed file is taken for a terminal")
	}
	if terminalWidth((*os.File)(nil)) != nil {
		t.Error("no file is taken for a terminal")
	}
	if terminalWidth(&bytes.Buffer{}) != nil {
		t.Error("a buffer is taken for a terminal")
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	defer pty.Close()
	width := terminalWidth(pty)
	if width == nil {
		t.Skip("this end of a pseudo-terminal is none on this system")
	}
	if _, ok := width(); !ok {
		t.Error("the terminal has no size")
	}
	if got := New(pty).screen.columns(); got != defaultWidth-1 { // nobody has set one
		t.Errorf("%d columns, want %d", got, defaultWidth-1)
	}
	pty.Close()
	if _, ok := width(); ok {
		t.Error("a closed terminal has a size")
	}
}
