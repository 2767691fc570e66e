package gcpfunctions

import (
	"errors"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/mapper"
)

// TestLargerSizes: memory doubles up to what the service has, with the processors that go with it. The functions are the
// configuration's own, and none of their instances is kept warm.
func TestLargerSizes(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	c := config(s)
	c.MemoryMB, c.MinInstances = 3000, 1
	b := newBackend(t, c)
	for _, want := range []struct{ mb, cpu int }{{6000, 2}, {12000, 4}, {24000, 6}, {32768, 8}} {
		larger, err := b.Enlarge()
		if err != nil {
			t.Fatal(err)
		}
		was := b
		b = larger.(*Backend) //nolint:forcetypeassert // it is that
		t.Cleanup(func() { b.Close() })
		own := c
		own.MemoryMB, own.CPU, own.MinInstances = want.mb, want.cpu, 0
		f, err := b.config.function("gs://b")
		g, same := newBackend(t, own).config.function("gs://b")
		if err != nil || same != nil || f.id == g.id || b.config.MemoryMB != want.mb || b.config.CPU != want.cpu || b.config.MinInstances != 0 || b.config.from != 3000 {
			t.Errorf("%v, %v: %+v, %s and %s", err, same, b.config, f.id, g.id)
		}
		if b.Limits().PricePerSecond <= was.Limits().PricePerSecond {
			t.Errorf("%d MB are no dearer", want.mb)
		}
	}
	if _, err := b.Enlarge(); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "32768 MB, which is the most") {
		t.Error(err)
	}
}

// TestDestroyLarger: a larger function that a job has made goes with the one that it is larger than, and no other does.
func TestDestroyLarger(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	own := config(s)
	own.MemoryMB = 2048
	b := newBackend(t, config(s))
	larger, err := b.Enlarge()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { larger.Close() })
	for _, x := range []*Backend{newBackend(t, own), larger.(*Backend)} { //nolint:forcetypeassert // it is that
		if err := prepare(t, x, on); err != nil {
			t.Fatal(err)
		}
	}
	ex, err := mapper.New(t.Context(), b, on, mapper.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Functions()); n != 3 {
		t.Errorf("there are %d functions", n)
	}
	if err := ex.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	f, err := own.complete().function(on.URL())
	if got := s.Functions(); err != nil || len(got) != 1 || got[0] != f.id {
		t.Errorf("there are %v; %v", got, err)
	}
}
