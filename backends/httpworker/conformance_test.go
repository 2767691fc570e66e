package httpworker_test

import (
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/storage"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T, bucket storage.Bucket) backends.Backend {
		url, _ := startWorker(t, bucket, "GOWREN_WORKER_MEMORY=700")
		b, err := httpworker.New(httpworker.Config{URLs: []string{url}, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}, backendtest.Options{MemoryMB: 700, Outlives: true})
}
