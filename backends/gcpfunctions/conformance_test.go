package gcpfunctions

import (
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/storage"
)

func TestConformance(t *testing.T) {
	// One service for all. Each bucket has a function of its own, which the cases leave as a job does.
	s := gcf.New(t, gcf.Options{Freeze: true})
	backendtest.Run(t, func(t *testing.T, bucket storage.Bucket) backends.Backend {
		b, err := New(config(s))
		if err != nil {
			t.Fatal(err)
		}
		b.pace = quick
		f, err := b.config.function(bucket.URL())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Remove(f.id) })
		return b
	}, backendtest.Options{MemoryMB: left(1024, 0), Outlives: true, Skip: map[string]string{
		"process/killed while idle": "an instance is frozen while it is idle",
	}})
}
