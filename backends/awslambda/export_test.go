package awslambda

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/storage"
)

func init() { assuming = 2 * time.Second }

// The limits of requests, in bytes.
const (
	MaxRequest = maxRequest
	MaxEvent   = maxEvent
)

// Forward makes the bootstrap of this backend's function a script that runs the program where it lies: tests of many
// functions have no time to pack and unpack a test binary for each. TestArchive is of a real one.
func (b *Backend) Forward() {
	b.pack = func(exe *program.Executable) ([]byte, error) {
		return zipped(strings.NewReader("#!/bin/sh\nexec '"+exe.Path+"'\n"), exe.Hash)
	}
}

// Function is the name of the function that was prepared.
func (b *Backend) Function() string { return b.function }

// Script makes an archive of a script.
func Script(text, hash string) ([]byte, error) {
	return zipped(strings.NewReader("#!/bin/sh\n"+text+"\n"), hash)
}

// The policies as they are in the documentation.
var (
	DriverGrants = driverGrants
	WorkerGrants = workerGrants
)

// Actions are those of a grant.
func (g grant) Actions() []string { return g.actions }

// Mislead makes the backend as if it was prepared, with clients of another configuration.
func (b *Backend) Mislead(ctx context.Context, cfg aws.Config, bucket storage.Bucket) error {
	b.config.AWS = &cfg
	_, err := b.connect(ctx)
	b.gate, b.bucket, b.function, b.program = supervisor.NewGate("awslambda", max(b.config.Concurrency, 1)), bucket, "misled", strings.Repeat("0", 64)
	return err
}

// Unforward takes Forward back.
func (b *Backend) Unforward() { b.pack = archive }
