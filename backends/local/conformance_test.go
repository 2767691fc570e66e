package local_test

import (
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/backends/local"
	"github.com/gowren/gowren/storage"
)

func TestMain(m *testing.M) { backendtest.Main(m) }

const memory = 700 // in MB: enough for the suite's largest result, also with the race detector

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(*testing.T, storage.Bucket) backends.Backend {
		return local.New(local.Config{Workers: 2, MemoryMB: memory})
	}, backendtest.Options{URL: "local://?workers=3", MemoryMB: memory})
}
