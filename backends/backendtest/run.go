// Package backendtest states what every backend promises, and what jobs promise on every backend, as tests.
//
// A backend's test binary calls [Main] in TestMain and [Run] in a test, both in an external test package.
package backendtest

import (
	"os"
	"slices"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/storage"
)

// Options adapts [Run] to a backend.
type Options struct {
	// MemoryMB is the memory limit of a worker, where the backend under test has one. Without it, no memory is filled.
	MemoryMB int
	// URL opens the same backend in another process, which is then killed. Without it, no driver is.
	URL string
	// Bucket opens an empty bucket that the backend's workers reach. Without it, a bucket is a folder of this machine.
	Bucket func(t *testing.T) storage.Bucket
	// Outlives says that workers are none of the backend's own, and outlive it.
	Outlives bool
	// Skip gives, for the name of a case that cannot hold, the reason. A name that is no case fails the test.
	Skip map[string]string
}

// Run tests a backend. Each call of open returns a backend of at least two workers that no other test uses, and that
// Run closes. The cases run in parallel.
func Run(t *testing.T, open func(t *testing.T, bucket storage.Bucket) backends.Backend, o Options) {
	all := slices.Concat(resultCases, sizeCases, failureCases, crashCases, reduceCases, sharedCases, cancelCases,
		outputCases, processCases, useCases, rawCases, enlargeCases)
	for name := range o.Skip {
		if !slices.ContainsFunc(all, func(c testCase) bool { return c.name == name }) {
			t.Errorf("Skip names %q, which is no case", name)
		}
	}
	// The group ends when its parallel cases have.
	t.Run("cases", func(t *testing.T) {
		for _, c := range all {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if why, skip := o.Skip[c.name]; skip {
					t.Skip(why)
				}
				if c.slow && testing.Short() {
					t.Skip("it is slow")
				}
				h := newHarness(t, open, o)
				limits := h.backend.Limits()
				switch {
				case c.isolates && !limits.Isolates:
					t.Skip("the backend does not isolate")
				case c.cancels && !limits.Cancels:
					t.Skip("the backend does not cancel")
				case c.ends && o.Outlives:
					t.Skip("its workers outlive it")
				case c.local && (!limits.Isolates || limits.Remote):
					t.Skip("its workers are no processes of this machine")
				}
				c.run(t, h)
			})
		}
	})
	if pids := children(t); len(pids) > 0 && o.Bucket == nil { // with one, servers of the test are among them
		t.Errorf("processes of ours are left: %v", pids)
	}
}

// testCase is one promise.
type testCase struct {
	name     string
	run      func(t *testing.T, h *harness)
	isolates bool // it holds where a crash costs a worker alone
	cancels  bool // it holds where cancelled work stops
	local    bool // it holds where workers are processes of this machine
	ends     bool // it holds where workers end with their backend
	slow     bool
}

// Main is to be called by TestMain: it makes the process a worker or a driver where it was started as one, and otherwise
// runs the tests, and checks that they leave no goroutine.
func Main(m *testing.M) {
	beWorker()
	beDriver()
	os.Exit(runTests(m))
}
