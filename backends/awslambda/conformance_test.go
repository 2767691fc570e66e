package awslambda_test

import (
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/storage"
)

func TestConformance(t *testing.T) {
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	role := c.role(t)
	backendtest.Run(t, func(t *testing.T, bucket storage.Bucket) backends.Backend {
		return c.backend(t, awslambda.Config{Role: role, Concurrency: 2})
	}, backendtest.Options{
		MemoryMB: 1024, Outlives: true, Bucket: func(t *testing.T) storage.Bucket { return newBucket(t) },
		Skip: map[string]string{
			"cancel/upload": "a store may take in an upload whose request was cancelled, after the job has deleted what it had stored",
		},
	})
}
