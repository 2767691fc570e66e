package process

import "bytes"

// longLine is the most that is passed on as one line: a longer one comes in pieces.
const longLine = 64 << 10

// liner cuts what a process prints into lines.
type liner struct {
	pass func(line []byte) // without its end; valid during the call
	part []byte            // of a line whose end has not come
}

func (l *liner) add(p []byte) {
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if room := longLine - len(l.part); len(line) > room || !whole && len(line) == room {
			l.part = append(l.part, line[:room]...)
			l.pass(l.part) // in a piece of a line, a carriage return is the line's own
			l.part, p = l.part[:0], p[room:]
			continue
		}
		if !whole {
			l.part = append(l.part, line...)
			return
		}
		if len(l.part) > 0 {
			l.part = append(l.part, line...)
			line = l.part
		}
		l.pass(bytes.TrimSuffix(line, []byte("\r")))
		l.part, p = l.part[:0], rest
	}
}

// end passes on what came last, when it did not end with a newline.
func (l *liner) end() {
	if len(l.part) > 0 {
		l.pass(l.part)
	}
	l.part = nil
}
