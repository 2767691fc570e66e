package wire

import (
	"bytes"
	"errors"
	"testing"
)

// TestTracker feeds random replies in random pieces, with bytes after the end.
func TestTracker(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		g := newGen(seed)
		var reply []byte
		for range g.IntN(20) {
			reply, _ = g.frame(reply)
		}
		reply, _ = g.end(reply)
		tail := g.bytes()
		rest := append(reply[:len(reply):len(reply)], tail...)
		var tr Tracker
		passed := 0
		for len(rest) > 0 && !tr.Done() {
			p := rest[:1+g.IntN(min(len(rest), 60))]
			rest = rest[len(p):]
			n, err := tr.Advance(p)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			passed += n
			if n < len(p) && !tr.Done() {
				t.Fatalf("seed %d: bytes are left before the end", seed)
			}
		}
		if passed != len(reply) || !tr.Done() {
			t.Fatalf("seed %d: the end is at %d, not %d (done: %v)", seed, passed, len(reply), tr.Done())
		}
		if n, err := tr.Advance(tail); n != 0 || err != nil {
			t.Fatalf("seed %d: %d bytes after the end are taken: %v", seed, n, err)
		}
	}
}

func TestTrackerLeaves(t *testing.T) {
	for typ, want := range map[Type]bool{TypeEnd: false, TypeLeave: true} {
		var tr Tracker
		if _, err := tr.Advance(AppendEnd(nil, typ, &End{})); err != nil || tr.Leaves() != want || !tr.Done() {
			t.Errorf("type %d: %v, %v", typ, tr.Leaves(), err)
		}
	}
}

// TestTrackerErrors: what is no reply is found at the first header, or frame, that says so.
func TestTrackerErrors(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"a request":       {AppendRequest(nil, fullRequest()), ErrCorrupt},
		"a cancel":        {AppendFrame(nil, TypeCancel, nil), ErrCorrupt},
		"garbage":         {[]byte("panic: runtime error\n"), ErrCorrupt},
		"another version": {[]byte{0, 0, 0, 0, Version + 1, 3, 0, 0, 0, 0}, ErrVersion},
		"too long":        {[]byte{0, 0, 0, 255, Version, 3, 0, 0, 0, 0}, ErrCorrupt},
	} {
		for _, step := range []int{1, 7, 1000} {
			var tr Tracker
			var err error
			for rest := AppendResult(nil, 0, []byte("x")); err == nil && len(rest) > 0; rest = rest[min(step, len(rest)):] {
				_, err = tr.Advance(rest[:min(step, len(rest))])
			}
			for rest := c.data; err == nil && len(rest) > 0; rest = rest[min(step, len(rest)):] {
				_, err = tr.Advance(rest[:min(step, len(rest))])
			}
			if !errors.Is(err, c.want) || tr.Done() {
				t.Errorf("%s in steps of %d: %v", name, step, err)
			}
		}
	}
}

// TestTrackerAllocates: it looks at every byte of every reply.
func TestTrackerAllocates(t *testing.T) {
	reply, _ := stream()
	var tr Tracker
	if n := testing.AllocsPerRun(10, func() {
		tr = Tracker{}
		if n, err := tr.Advance(reply); n != len(reply) || err != nil {
			t.Error(n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParts(t *testing.T) {
	want := []Part{
		{Data: AppendValue(AppendValue(nil, []byte("v")), bytes.Repeat([]byte("w"), 200))},
		{Key: "k", Offset: 9, Size: 1 << 35},
		{Data: []byte{}},
		{Key: "one", Size: 4, Single: true, Sum: 0xffffffff},
	}
	var list []byte
	for _, p := range want {
		list = AppendPart(list, p)
	}
	whole := list
	ends := map[int]bool{0: true}
	for i, p := range want {
		got, rest, err := NextPart(list)
		if err != nil || got.Key != p.Key || !bytes.Equal(got.Data, p.Data) || got.Offset != p.Offset || got.Size != p.Size || got.Single != p.Single || got.Sum != p.Sum {
			t.Fatalf("part %d: %+v, %v", i, got, err)
		}
		list = rest
		ends[len(whole)-len(rest)] = true
	}
	for n := range whole { // a cut list is never taken for a whole one
		rest, err := whole[:n], error(nil)
		for err == nil && len(rest) > 0 {
			_, rest, err = NextPart(rest)
		}
		if (err == nil) != ends[n] || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}
