package awslambda

import (
	"archive/zip"
	"context"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/storage"
)

func init() { assuming, deleting = 2*time.Second, 2*time.Second }

// The limits of requests, in bytes.
const (
	MaxRequest = maxRequest
	MaxEvent   = maxEvent
)

// Forward makes the bootstrap of this backend's function a script that runs the program where it lies: tests of many
// functions have no time to pack and unpack a test binary for each.
func (b *Backend) Forward() {
	b.pack = func(exe *program.Executable) ([]byte, error) {
		return zipped(strings.NewReader("#!/bin/sh\nexec '"+exe.Path+"'\n"), exe.Hash, zip.Deflate)
	}
}

// Function is the name of the function that was prepared.
func (b *Backend) Function() string {
	p, err := b.ready()
	if err != nil {
		return ""
	}
	return p.function
}

// BucketURL is that of the bucket which was prepared for.
func (b *Backend) BucketURL() string {
	p, err := b.ready()
	if err != nil {
		return ""
	}
	return p.bucket.URL()
}

// NameOf is the name of the function for a bucket.
func (b *Backend) NameOf(region, bucketURL string) string { return b.nameOf(region, bucketURL) }

// Script makes an archive of a script.
func Script(text, hash string) ([]byte, error) {
	return zipped(strings.NewReader("#!/bin/sh\n"+text+"\n"), hash, zip.Deflate)
}

// The policies as they are in the documentation.
var (
	DriverGrants = driverGrants
	WorkerGrants = workerGrants
)

// Actions are those of a grant where it is needed.
func (g grant) Actions(p Place) []string {
	if g.only != nil && !g.only(p) {
		return nil
	}
	return g.actions
}

// Mislead makes the backend as if it was prepared, with clients of another configuration.
func (b *Backend) Mislead(ctx context.Context, cfg aws.Config, bucket storage.Bucket) error {
	b.config.AWS = &cfg
	c, err := b.connect(ctx)
	b.prepare(&prepared{aws: c, bucket: bucket, function: "misled", program: strings.Repeat("0", 64)}, max(b.config.Concurrency, 1))
	return err
}

// Unforward takes Forward back.
func (b *Backend) Unforward() { b.pack = archive }

// Store leaves this backend's program as it is in the archive: to compress it takes seconds under the race detector.
func (b *Backend) Store() {
	b.pack = func(exe *program.Executable) ([]byte, error) {
		f, err := os.Open(exe.Path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return zipped(f, exe.Hash, zip.Store)
	}
}

// Archive makes the archive of a program.
func Archive(path, hash string) ([]byte, error) {
	return archive(&program.Executable{Path: path, Hash: hash})
}

// Crash says how a function ended.
var Crash = crash

// DecodeStatus reads the answer to a ping.
func DecodeStatus(payload, bucket string) error {
	_, err := decodeStatus([]byte(payload), bucket)
	return err
}
