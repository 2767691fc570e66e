package wire

import "fmt"

// Tracker follows a reply's bytes as they pass, so that what carries them knows where the reply ends without copying or
// decoding it. Its zero value is at the beginning of a reply.
type Tracker struct {
	head [headerSize]byte
	have int  // bytes of the header seen
	left int  // bytes of the payload to come
	kind Type // of the frame under way
	last Type // of the last frame, once it is complete
}

// Advance notes that p passed. It returns how many bytes of p belong to the reply: all, unless the reply ends in p.
func (t *Tracker) Advance(p []byte) (int, error) {
	rest := p
	for len(rest) > 0 && t.last == 0 {
		if t.have < headerSize {
			n := copy(t.head[t.have:], rest)
			t.have += n
			rest = rest[n:]
			if t.have < headerSize {
				break
			}
			var err error
			if t.left, t.kind, err = header(t.head[:]); err != nil {
				return 0, err
			}
		}
		n := min(t.left, len(rest))
		t.left -= n
		rest = rest[n:]
		if t.left > 0 {
			break
		}
		t.have = 0
		switch {
		case t.kind.Ends():
			t.last = t.kind
		case t.kind == TypeRequest, t.kind == TypeCancel:
			return 0, fmt.Errorf("wire: a frame of type %d in a reply: %w", t.kind, ErrCorrupt)
		}
	}
	return len(p) - len(rest), nil
}

// Done reports whether the reply is complete.
func (t *Tracker) Done() bool { return t.last != 0 }

// Leaves reports whether the worker said that it exits after this reply.
func (t *Tracker) Leaves() bool { return t.last == TypeLeave }

// Refused reports whether the worker did not serve the request.
func (t *Tracker) Refused() bool { return t.last == TypeRefused }
