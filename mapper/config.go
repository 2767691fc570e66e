package mapper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gowren/gowren/backends"
	_ "github.com/gowren/gowren/backends/inproc" // the two backends that need nothing installed
	_ "github.com/gowren/gowren/backends/local"
	"github.com/gowren/gowren/internal/progress"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	_ "github.com/gowren/gowren/storage/memstore"
)

// The variables that stand in for what a [Config] leaves out.
const (
	backendVariable = "GOWREN_BACKEND"
	storageVariable = "GOWREN_STORAGE"
	programVariable = "GOWREN_PROGRAM"

	progressVariable = "GOWREN_PROGRESS"
)

// Config says where jobs run. The zero value is worker processes on this machine, and a folder of the user's cache
// directory for what is too large to travel with a request.
type Config struct {
	// Backend is a URL such as local://?workers=4&memory=512. Defaults to $GOWREN_BACKEND, then to local.
	Backend string

	// Storage is the URL of the bucket for jobs' data, such as file:///var/tmp/gowren. Defaults to $GOWREN_STORAGE, then
	// to a folder of the user's cache directory.
	Storage string

	// Program is the path of the executable that workers run. Defaults to $GOWREN_PROGRAM, then to the running one.
	Program string

	Options Options
}

// open opens the backend and the bucket.
func (c Config) open(ctx context.Context) (backends.Backend, storage.Bucket, error) {
	backend, err := c.openBackend(ctx)
	if err != nil {
		return nil, nil, err
	}
	bucket, err := c.openBucket(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, backend.Close())
	}
	return backend, bucket, nil
}

func (c Config) openBackend(ctx context.Context) (backends.Backend, error) {
	b, err := backends.Open(ctx, cmp.Or(c.Backend, os.Getenv(backendVariable), "local"))
	return b, named(err, c.Backend, backendVariable)
}

func (c Config) openBucket(ctx context.Context) (storage.Bucket, error) {
	url := cmp.Or(c.Storage, os.Getenv(storageVariable))
	if url == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("no folder for jobs' data (set %s, such as file:///var/tmp/gowren): %w", storageVariable, err)
		}
		return storage.Open(ctx, filestore.URL(filepath.Join(dir, "gowren")))
	}
	b, err := storage.Open(ctx, url)
	return b, named(err, c.Storage, storageVariable)
}

// named names the variable that is wrong, where it was one.
func named(err error, configured, variable string) error {
	if err == nil || configured != "" || os.Getenv(variable) == "" {
		return err
	}
	return fmt.Errorf("%s: %w", variable, err)
}

func (c Config) program() string { return cmp.Or(c.Program, os.Getenv(programVariable)) }

// newView returns what shows progress: a bar on a terminal, and lines elsewhere, unless the environment asks for another
// form.
func newView(w io.Writer) (*progress.View, error) {
	switch form := os.Getenv(progressVariable); form {
	case "":
		return progress.New(w), nil
	case "plain":
		return progress.New(struct{ io.Writer }{w}), nil
	case "json":
		return progress.NewJSON(w), nil
	default:
		return nil, fmt.Errorf("%s=%q: the forms are plain and json, and without it what fits where it is written", progressVariable, form)
	}
}
