package worker

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// counting registers a function with a shared argument that is its encoding, and counts how often it is decoded.
func counting(t *testing.T) func() int {
	var mu sync.Mutex
	n := 0
	f := register(t, func(_ context.Context, shared any, _ registry.Input) ([]byte, error) {
		return fmt.Appendf(nil, "%.20s", shared), nil
	})
	f.Shared = func(_ *serialize.Coder, data []byte) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		switch string(data) {
		case "panic":
			panic(errTest)
		case "error":
			return nil, errTest
		}
		return string(data), nil
	}
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func withShared(t *testing.T, data string) *wire.Request {
	r := request(t, "x", "y")
	r.Shared = wire.Shared{Hash: hash([]byte(data)), Data: []byte(data)}
	return r
}

// TestSharedCache: the latest used arguments are kept within the bound, and the one in use whatever its size.
func TestSharedCache(t *testing.T) {
	decoded := counting(t)
	w, _ := newWorker(t, 1)
	w.shared.limit = 100
	a, b, c, large := strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40), strings.Repeat("l", 1000)
	for i, step := range []struct {
		data string
		want int // decoded so far
	}{
		{a, 1}, {a, 1}, {b, 2}, {a, 2}, {c, 3} /* in place of b */, {a, 3}, {c, 3}, {b, 4} /* in place of a */, {c, 4}, {a, 5},
		{large, 6}, {large, 6}, {a, 7}, {large, 8},
	} {
		r := serve(t, w, withShared(t, step.data))
		r.want(t, 2)
		if r.results[0] != step.data[:20] {
			t.Errorf("step %d: the function saw %q", i, r.results[0])
		}
		if n := decoded(); n != step.want {
			t.Errorf("step %d: decoded %d times, want %d", i, n, step.want)
		}
	}
	if n := len(w.shared.kept); n != 1 || w.shared.bytes != 1000 {
		t.Errorf("%d arguments of %d bytes are kept", n, w.shared.bytes)
	}
}

// TestSharedOnce: requests that come at once fetch and decode the argument once.
func TestSharedOnce(t *testing.T) {
	decoded := counting(t)
	w, b := newWorker(t, 1)
	put(t, b, "shared", []byte("what all share"))
	r := withShared(t, "what all share")
	r.Shared.Data, r.Shared.Key = nil, "shared"
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			var out bytes.Buffer
			if err := w.Serve(t.Context(), wire.AppendRequest(nil, r), &out); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if decoded() != 1 {
		t.Errorf("decoded %d times", decoded())
	}
}

// TestSharedBad: an argument that is not the driver's, or cannot be decoded, is refused; one that cannot be reached is a
// failure that another attempt may mend.
func TestSharedBad(t *testing.T) {
	counting(t)
	w, b := newWorker(t, 1)
	put(t, b, "other", []byte("something else"))
	other := withShared(t, "what all share")
	other.Shared.Data, other.Shared.Key = nil, "other"
	wrong := withShared(t, "right")
	wrong.Shared.Data = []byte("wrong")
	none := request(t, "x")
	for says, r := range map[string]*wire.Request{
		"14 bytes came that are not": other, "5 bytes came that are not": wrong, "disagree": none,
		"panicked: no such luck": withShared(t, "panic"), ": no such luck": withShared(t, "error"),
	} {
		if got := serve(t, w, r); got.last != wire.TypeRefused || !strings.Contains(got.refused, says) || !strings.Contains(got.refused, t.Name()) {
			t.Errorf("refused %q, want %q", got.refused, says)
		}
	}
	missing := withShared(t, "what all share")
	missing.Shared.Data, missing.Shared.Key = nil, "missing"
	got := serve(t, w, missing)
	for i := range 2 {
		got.wantFailed(t, i, wire.CauseInput, true, "shared argument", "missing")
	}
	if got.last != wire.TypeEnd || got.err != nil {
		t.Errorf("%+v", got)
	}
	serve(t, w, withShared(t, "good")).want(t, 2)
}
