package azurefunctions_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers/azfunc"
)

// TestLarger: instances have the next size, up to the largest. What is made for a larger one is the configuration's own.
func TestLarger(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{MaxPackage: tooSmall})
	bucket := folder(t)
	c := config(s)
	c.MemoryMB = 512
	larger := backends.Backend(open(t, c))
	price := larger.Limits().PricePerSecond
	for _, mb := range []int{2048, 4096} {
		next, err := larger.(*azurefunctions.Backend).Enlarge() //nolint:forcetypeassert // it is that
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { next.Close() })
		if got, want := next.Limits().PricePerSecond, price*float64(mb)/512; got < want*0.999 || got > want*1.001 {
			t.Errorf("%d MB cost %g a second, want %g", mb, got, want)
		}
		larger = next
	}
	if _, err := larger.(*azurefunctions.Backend).Enlarge(); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "4096 MB, which is the most") { //nolint:forcetypeassert // likewise
		t.Error(err)
	}
	own := config(s)
	own.MemoryMB = 4096
	name := prepareInVain(t, own, bucket)
	before := all(s)
	if err := larger.Prepare(t.Context(), backends.Deployment{Program: program, Bucket: bucket}); err == nil {
		t.Fatal("Prepare has not failed")
	}
	if now := all(s); len(now) != 2*len(before) {
		t.Errorf("Prepare has made %v of %v", now, before)
	}
	if err := larger.(backends.Destroyer).Destroy(t.Context(), bucket.URL()); err != nil { //nolint:forcetypeassert // likewise
		t.Error(err)
	}
	if now := all(s); !slices.Equal(now, before) || !slices.Contains(now, name) {
		t.Errorf("there is\n%v, and before Prepare was\n%v", now, before)
	}
}
