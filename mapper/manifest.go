package mapper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/gowren/gowren/storage"
)

// Manifest names the objects that a job has written. It is an object itself, manifest.json, which is stored when all of
// them are: what it does not name is no part of the result. So read a result by its Splits and not by those of its folder,
// which has the manifest in it and may have parts of jobs that died:
//
//	m, err := mapper.ReadManifest(ctx, "s3://bucket/counts")
//	for _, s := range m.Splits(0) { // or one a task
//		for pair, err := range storage.JSONLines[mapper.Pair[string, int]](ctx, s) {
//			…
//		}
//	}
type Manifest struct {
	// URL is that of the bucket. It is not part of what is stored.
	URL string `json:"-"`
	// Job is the ID of the job, or, of one with a name to resume, a name with a token. It is the folder of the parts.
	Job string `json:"job"`
	// Parts are the objects, in the order of their keys where the job was a [Sort]. A part that would be empty does not
	// exist.
	Parts []Part `json:"parts"`
}

// Part is one object of a result.
type Part struct {
	Key     string `json:"key"`     // in the bucket
	Size    int64  `json:"size"`    // in bytes
	Records int64  `json:"records"` // that were sorted, or keys that were reduced
	Sum     uint32 `json:"crc32c"`  // of its bytes, for who copies it: readers of splits do not check it
}

const (
	manifestKey = "manifest.json"
	maxManifest = 1 << 30 // bytes that are read of one
)

// ReadManifest reads the manifest in the bucket at url. It is fs.ErrNotExist where no job has finished there.
func ReadManifest(ctx context.Context, url string) (Manifest, error) {
	b, err := storage.Open(ctx, url)
	if err != nil {
		return Manifest{URL: url}, fmt.Errorf("mapper: manifest: %w", err)
	}
	defer b.Close()
	return readManifest(ctx, storage.Retry(b, storage.RetryPolicy{}), url)
}

func readManifest(ctx context.Context, b storage.Bucket, url string) (Manifest, error) {
	m := Manifest{URL: url}
	r, err := b.Get(ctx, manifestKey, 0, maxManifest)
	if err != nil {
		return m, fmt.Errorf("mapper: manifest: %w", err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		return m, fmt.Errorf("mapper: manifest %q in %s: %w", manifestKey, url, err)
	}
	m.URL = url
	return m, nil
}

// Splits cuts the parts into ranges of size bytes, or of [storage.DefaultSplit] where size is 0, for a next job. It makes
// no requests.
func (m Manifest) Splits(size int64) []storage.Split {
	if size <= 0 {
		size = storage.DefaultSplit
	}
	var splits []storage.Split
	for _, p := range m.Parts {
		for off := int64(0); off < p.Size; off += size {
			splits = append(splits, storage.Split{URL: m.URL, Key: p.Key, Off: off, Len: min(size, p.Size-off), Size: p.Size})
		}
	}
	return splits
}

// commit stores the manifest, unless there is one.
func (m Manifest) commit(ctx context.Context, b storage.Bucket) error {
	data, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	if err := b.PutNew(ctx, manifestKey, bytes.NewReader(data)); errors.Is(err, fs.ErrExist) {
		return taken(b, err)
	} else {
		return err
	}
}

// vacant returns an error when another job has finished in the bucket before. Where this one has, which is resumed, it may
// turn out to be the same.
func vacant(ctx context.Context, b storage.Bucket, job string, resume bool) error {
	if _, err := b.Stat(ctx, manifestKey); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if !resume { // it has a name that no other had
		return taken(b, fs.ErrExist)
	}
	if m, err := readManifest(ctx, b, b.URL()); err != nil || m.Job == job {
		return err
	}
	return taken(b, fs.ErrExist)
}

func taken(b storage.Bucket, err error) error {
	return fmt.Errorf("%s holds the result of another job: choose another place, or delete %s and what it names: %w", b.URL(), manifestKey, err)
}
