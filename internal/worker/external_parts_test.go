package worker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
)

// collect returns the values of the list in its input, each followed by a comma; it stops after a value "stop".
func collect(ctx context.Context, in registry.Input) ([]byte, error) {
	var out []byte
	err := in.Parts.Each(ctx, in.Data, func(value []byte) bool {
		out = append(append(out, value...), ',')
		return string(value) != "stop"
	})
	return out, err
}

func values(texts ...string) []byte {
	var b []byte
	for _, s := range texts {
		b = wire.AppendValue(b, []byte(s))
	}
	return b
}

func list(parts ...wire.Part) string {
	var b []byte
	for _, p := range parts {
		b = wire.AppendPart(b, p)
	}
	return string(b)
}

func TestParts(t *testing.T) {
	name := register("parts", collect)
	w, b := newWorker(t, 2)
	long := strings.Repeat("long", 100_000)
	many := values("c", "", long, "d")
	put(t, b, "many", slices.Concat([]byte("before"), many, []byte("after")))
	put(t, b, "single", []byte("xxwholeyy"))
	put(t, b, "stop", values("q", "stop", "never"))
	object := wire.Part{Key: "many", Offset: 6, Size: int64(len(many))}
	single := wire.Part{Key: "single", Offset: 2, Size: 5, Single: true, Sum: wire.Checksum([]byte("whole"))}
	gone := wire.Part{Key: "gone", Size: 10}
	for _, c := range []struct{ list, want string }{
		{"", ""},
		{list(wire.Part{Data: values("a", "", "b")}), "a,,b,"},
		{list(wire.Part{}, object), "c,," + long + ",d,"},
		{list(single), "whole,"},
		{list(wire.Part{Data: values("a")}, single, object, wire.Part{Data: values("z")}), "a,whole,c,," + long + ",d,z,"},
		{list(wire.Part{Data: values("a", "stop", "b")}, gone), "a,stop,"},
		{list(wire.Part{Key: "stop", Size: 13}, gone), "q,stop,"},
		{list(wire.Part{Key: "many", Size: 0}), ""},
	} {
		p := serve(t, w, request(name, c.list))
		if got, ok := p.results[0]; !ok || got != c.want {
			t.Errorf("%.60q: %.60q, %v; want %.60q", c.list, got, p.failed, c.want)
		}
	}
}

func TestPartsFail(t *testing.T) {
	name := register("bad parts", collect)
	w, b := newWorker(t, 1)
	cut := values("one", "two")
	put(t, b, "cut", cut[:6])
	put(t, b, "huge", binary.AppendUvarint(nil, 1<<50))
	put(t, b, "beyond", values("one", "two"))
	put(t, b, "number", []byte(strings.Repeat("\xff", 11)))
	inputs := []string{
		list(wire.Part{Key: "cut", Size: 8}),
		list(wire.Part{Key: "cut", Size: 6}),
		list(wire.Part{Key: "cut", Size: 4}, wire.Part{Key: "gone", Size: 4}),
		list(wire.Part{Key: "huge", Size: 1 << 60}),
		list(wire.Part{Key: "beyond", Size: 7}),
		list(wire.Part{Key: "number", Size: 11}),
		list(wire.Part{Key: "beyond", Size: 3, Single: true, Sum: 1}),
		list(wire.Part{Key: "beyond", Size: 1 << 60, Single: true}),
		list(wire.Part{Data: []byte{9, 'x'}}),
		list(wire.Part{Data: []byte{0x80}}),
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := serve(t, w, request(name, inputs...))
	runtime.ReadMemStats(&after)
	if after.TotalAlloc-before.TotalAlloc > 8<<20 {
		t.Errorf("%d bytes allocated for objects of a few", after.TotalAlloc-before.TotalAlloc)
	}
	for i := range inputs {
		if f := p.failed[i]; f.Cause != wire.CauseInput || !f.Again || !strings.Contains(f.Message, "earlier tasks") {
			t.Errorf("list %d: %+v, result %q", i, f, p.results[i])
		}
	}
}

func TestPartsOfABadList(t *testing.T) {
	w, _ := newWorker(t, 1)
	bad := register("bad list", func(ctx context.Context, in registry.Input) ([]byte, error) {
		if err := in.Parts.Each(ctx, in.Data, func([]byte) bool { return true }); !errors.Is(err, wire.ErrCorrupt) {
			return nil, errors.New("not told of a corrupt list")
		}
		return nil, nil
	})
	if p := serve(t, w, request(bad, "\x05ab", "\x00\x09x")); len(p.results) != 2 {
		t.Errorf("%v", p.failed)
	}
}
