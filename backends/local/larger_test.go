package local_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/local"
)

// TestEnlarge: memory doubles up to the machine's; without a limit there is none to raise.
func TestEnlarge(t *testing.T) {
	t.Parallel()
	if _, err := local.New(local.Config{}).Enlarge(); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "no memory limit (memory=)") {
		t.Error(err)
	}
	b := local.New(local.Config{Workers: 3, CPUs: 2, MemoryMB: 100})
	most := local.MachineMB()
	for mb := 200; mb < 2*most && mb < 1<<30; mb *= 2 {
		larger, err := b.Enlarge()
		if err != nil {
			t.Fatal(err)
		}
		b = larger.(*local.Backend) //nolint:forcetypeassert // it is that
		if c := b.Config(); c != (local.Config{Workers: 3, CPUs: 2, MemoryMB: min(mb, most)}) {
			t.Errorf("%+v, want %d MB", c, min(mb, most))
		}
	}
	if most > 1<<30 {
		t.Skip("how much memory this machine has is not known")
	}
	if _, err := b.Enlarge(); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "this machine has no more") {
		t.Error(err)
	}
}
