package mapper

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/storage"
)

// Main makes a process that was started as a worker serve tasks; then it does not return. In every other process it
// does nothing. Call it first in main, before flags are read or anything is printed, and in tests in TestMain. From then
// on no function can be registered.
func Main() {
	name := os.Getenv(backends.RoleVariable)
	registry.Seal()
	if name == "" {
		return
	}
	bucketURL, program := os.Getenv(backends.BucketVariable), os.Getenv(backends.ProgramVariable)
	// What a task starts is no worker.
	for _, v := range []string{backends.RoleVariable, backends.BucketVariable, backends.ProgramVariable} {
		if err := os.Unsetenv(v); err != nil {
			leave(err)
		}
	}
	role, err := backends.FindRole(name)
	if err != nil {
		leave(err)
	}
	w := worker.New(runtime.GOMAXPROCS(0), func(ctx context.Context) (storage.Bucket, error) {
		if bucketURL == "" {
			return nil, fmt.Errorf("this worker was given no bucket (%s)", backends.BucketVariable)
		}
		return storage.Open(ctx, bucketURL)
	})
	slog.SetDefault(slog.New(w.LogHandler()))
	leave(role(context.Background(), backends.Worker{Serve: w.Serve, Bucket: bucketURL, Program: program}))
}

// leave ends a worker. Its tasks are over, or cannot be stopped.
func leave(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gowren worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
