package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/gowren/gowren/internal/leftover"
	"github.com/gowren/gowren/storage"
)

// Commit makes a set of shards that [Writer]s have stored below prefix in the bucket at url, in the order given, and of more
// objects that are stored there, which it does not look for: the manifest names their keys, and no set reads them. The schema is that
// of the writers: where it is another, it is fs.ErrInvalid. It is fs.ErrExist where there is a set already; of several that commit at
// once, one succeeds. Then all else below prefix goes: shards of attempts whose results were not used. An error of that comes with
// the manifest, which is stored. After any other error nothing is: [Discard] removes the shards.
func Commit(ctx context.Context, url, prefix string, s Schema, shards []Shard, more ...string) (*Manifest, error) {
	m, err := newManifest(s, shards, more...)
	if err != nil {
		return nil, fmt.Errorf("dataset: commit: %w", err)
	}
	for _, shard := range shards {
		if !strings.HasPrefix(shard.Key, prefix+"/") {
			return nil, fmt.Errorf("dataset: commit: shard %q is not below %q: %w", shard.Key, prefix, fs.ErrInvalid)
		}
	}
	for _, key := range more {
		if !strings.HasPrefix(key, prefix+"/") {
			return nil, fmt.Errorf("dataset: commit: %q is not below %q: %w", key, prefix, fs.ErrInvalid)
		}
	}
	b, err := open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("dataset: commit: %w", err)
	}
	defer b.Close()
	if err := m.store(ctx, b); err != nil {
		stored, unknown := holds(ctx, b, &m)
		if unknown != nil {
			return nil, fmt.Errorf("dataset: commit: %w; whether it was stored all the same is not known: %w", err, unknown)
		}
		if !stored {
			return nil, fmt.Errorf("dataset: commit: %w", err)
		}
	}
	if err := clean(ctx, b, prefix, &m); err != nil {
		return &m, fmt.Errorf("dataset: shards that no manifest names stay in %s: %w", url, err)
	}
	return &m, nil
}

// holds reports whether the manifest is stored although storing it failed, as where only the reply was lost, or why that
// cannot be known.
func holds(ctx context.Context, b storage.Bucket, m *Manifest) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	is, err := readManifest(ctx, b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && is.Commit == m.Commit, err
}

// Discard removes the shards below prefix in the bucket at url, those of a job that came to nothing. What a manifest there
// names stays.
func Discard(ctx context.Context, url, prefix string) error {
	b, err := open(ctx, url)
	if err != nil {
		return fmt.Errorf("dataset: discard: %w", err)
	}
	defer b.Close()
	read, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	m, err := readManifest(read, b)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = &Manifest{}, nil
	}
	if err == nil {
		err = clean(ctx, b, prefix, m)
	}
	if err != nil {
		return fmt.Errorf("dataset: discard: %w", err)
	}
	return nil
}

// clean deletes what is below prefix and not of the set, also when ctx has ended.
func clean(ctx context.Context, b storage.Bucket, prefix string, m *Manifest) error {
	if err := storage.CheckKey(prefix); err != nil {
		return err // an empty one is that of all objects
	}
	kept := make(map[string]bool, len(m.Shards)+len(m.More))
	for _, shard := range m.Shards {
		kept[shard.Key] = true
	}
	for _, key := range m.More {
		kept[key] = true
	}
	return leftover.Delete(ctx, b, prefix+"/", func(key string) bool { return !kept[key] })
}

func open(ctx context.Context, url string) (storage.Bucket, error) {
	b, err := storage.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	return storage.Retry(b, storage.RetryPolicy{}), nil
}
