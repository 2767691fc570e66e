package backendtest

import (
	"errors"
	"testing"

	"github.com/gowren/gowren/backends"
)

// mostRungs is how many times a worker's memory may double at most: from a byte to more than there is.
const mostRungs = 64

// enlargeCases: a backend whose workers can have more memory has such up to an end, and says that it is one. Nothing is run.
var enlargeCases = []testCase{
	{name: "enlarge/up to the end", run: func(t *testing.T, h *harness) {
		below := h.backend
		for range mostRungs {
			e, ok := below.(backends.Enlarger)
			if !ok && below == h.backend {
				t.Skip("its workers can have no more memory")
			}
			if !ok {
				t.Fatal("a larger backend is none that can be enlarged, and does not say that there is no more")
			}
			larger, err := enlarged(t, e)
			if err != nil {
				if _, again := enlarged(t, e); !errors.Is(err, backends.ErrInvalid) || again == nil || again.Error() != err.Error() {
					t.Errorf("at the end it says %v, then %v", err, again)
				}
				return
			}
			same, err := enlarged(t, e)
			if err != nil || same.Limits() != larger.Limits() {
				t.Errorf("the second time it has other limits, %v", err)
			}
			wantLarger(t, below.Limits(), larger.Limits())
			below = larger
		}
		t.Errorf("there is no end of larger backends after %d", mostRungs)
	}},
}

// enlarged returns a larger backend, which the test closes.
func enlarged(t *testing.T, e backends.Enlarger) (backends.Backend, error) {
	larger, err := e.Enlarge()
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := larger.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return larger, nil
}

// wantLarger checks that the jobs of one backend can go on with a larger one, whose workers cost more where they cost anything.
func wantLarger(t *testing.T, l, larger backends.Limits) {
	t.Helper()
	if larger.PricePerSecond < l.PricePerSecond || l.PricePerSecond > 0 && larger.PricePerSecond == l.PricePerSecond {
		t.Errorf("a second of a larger worker costs %g, and %g before", larger.PricePerSecond, l.PricePerSecond)
	}
	if larger.CPUs < l.CPUs {
		t.Errorf("a larger worker runs %d tasks at once, and %d before", larger.CPUs, l.CPUs)
	}
	l.PricePerSecond, l.CPUs = larger.PricePerSecond, larger.CPUs
	if larger != l {
		t.Errorf("larger workers have other limits: %+v, and %+v before", larger, l)
	}
}
