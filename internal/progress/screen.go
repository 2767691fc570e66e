package progress

import (
	"io"
	"strings"
	"sync"
)

const (
	defaultWidth = 80
	erase        = "\r\x1b[K"
	largestKept  = 64 << 10 // of the buffer: one huge line must not hold its memory for ever
)

// screen is the writer, and what stands on its last line. It is safe for concurrent use.
type screen struct {
	w     io.Writer
	width func() (columns int, ok bool) // nil if w is no terminal
	json  bool                          // each line is an object

	mu     sync.Mutex
	buf    []byte
	bar    string // that stands on the last line, or empty
	budget int    // the columns that there were for it
	silent bool   // since a write failed
}

// columns is how many columns a bar may take. The last is left free: many terminals go on to the next line when it is
// written, where erasing would miss the bar.
func (s *screen) columns() int {
	n, ok := s.width()
	if !ok || n <= 0 {
		n = defaultWidth
	}
	return n - 1
}

// isSilent reports whether there is any use in writing.
func (s *screen) isSilent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent
}

// draw replaces the bar by what text makes for a number of columns.
func (s *screen) draw(text func(columns int) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget = s.columns()
	s.bar = text(s.budget)
	// What follows the bar is erased after it, not before: an empty line in between would flicker.
	s.buf = appendBar(s.buf[:0], s.bar)
	s.flush()
}

// writeLines writes whole lines above the bar, which then stands again if keep is set.
func (s *screen) writeLines(lines string, keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lines == "" && (keep || s.bar == "") {
		return
	}
	s.open()
	s.buf = append(s.buf, lines...)
	if !keep {
		s.bar = ""
	}
	s.shut()
}

// log writes "[label] line".
func (s *screen) log(label, line string) {
	line = strings.TrimRight(line, "\r\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	if label != "" {
		s.buf = append(s.buf, '[')
		s.buf = appendClean(s.buf, label)
		s.buf = append(s.buf, "] "...)
	}
	s.buf = appendClean(s.buf, line)
	s.buf = append(s.buf, '\n')
	s.shut()
}

// open begins to write lines where the bar stands.
func (s *screen) open() {
	s.buf = s.buf[:0]
	if s.bar != "" {
		s.buf = append(s.buf, erase...)
	}
}

// shut puts the bar below the lines and writes them all. If the terminal has become narrower, the bar waits to be drawn
// anew: wrapped over two lines it could not be erased.
func (s *screen) shut() {
	if s.bar != "" && s.columns() < s.budget {
		s.bar = ""
	}
	if s.bar != "" {
		s.buf = appendBar(s.buf, s.bar)
	}
	s.flush()
}

// flush writes the buffer in one call.
func (s *screen) flush() {
	if !s.silent {
		_, err := s.w.Write(s.buf)
		s.silent = err != nil
	}
	if cap(s.buf) > largestKept {
		s.buf = nil
	}
}

func appendBar(dst []byte, bar string) []byte {
	dst = append(dst, '\r')
	dst = append(dst, bar...)
	return append(dst, erase[1:]...)
}
