// Package mappertest gives tests an executor that costs nothing to start: tasks run in the test's own process, through
// the same encodings and the same serve loop as on a worker, and large values go to a bucket in memory.
//
//	func TestSquares(t *testing.T) {
//		ex := mappertest.New(t)
//		got, err := mapper.Map(t.Context(), ex, square, []int{1, 2, 3})
//		…
//	}
//
// It needs no mapper.Main. What tasks print and log goes where that of the test goes. Tests of what only a process of its
// own can show, such as a task that exits, open a local executor instead, with mapper.Main called in TestMain.
package mappertest

import (
	"testing"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/memstore"
)

// New returns an executor that is closed when the test ends. The test fails when the executor cannot be closed in good
// order, as when a task goes on after its job has ended.
func New(t testing.TB) *mapper.Executor {
	t.Helper()
	bucket := memstore.New()
	ex, err := mapper.New(t.Context(), inproc.New(0), bucket, mapper.Options{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Errorf("closing the executor: %v", err)
		}
		memstore.Delete(bucket.Name()) // or each test's would stay until the process ends
	})
	return ex
}
