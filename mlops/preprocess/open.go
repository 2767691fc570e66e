package preprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// fittedName is what the object is called, among those of a set, that has what made its rows.
const fittedName = "/fitted.json"

// Open reads what made the rows of the set at url, which [Fitted.Transform] has stored with it. It is fs.ErrNotExist where there
// is no set, and where another has written it.
func Open(ctx context.Context, url string) (_ *Fitted, err error) {
	set, err := dataset.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("preprocess: open: %w", err)
	}
	m := set.Manifest()
	if err := set.Close(); err != nil {
		return nil, fmt.Errorf("preprocess: open: %w", err)
	}
	key := fittedOf(m)
	if key == "" {
		return nil, fmt.Errorf("preprocess: open: the set at %s does not have what made its rows: it was not written by Transform: %w", url, fs.ErrNotExist)
	}
	data, err := fetch(ctx, url, key)
	if err != nil {
		return nil, fmt.Errorf("preprocess: open: %w", err)
	}
	f, err := Load(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("preprocess: open: %q in %s: %w", key, url, err)
	}
	if features(f.Out()).Hash() != features(m.Schema).Hash() {
		return nil, fmt.Errorf("preprocess: open: %q in %s makes other columns than the set has: %w", key, url, fs.ErrInvalid)
	}
	return f, nil
}

// features are the columns that a model is told.
func features(s dataset.Schema) (out dataset.Schema) {
	for _, c := range s.Columns {
		if c.Role == dataset.Feature {
			out.Columns = append(out.Columns, c)
		}
	}
	return out
}

// fittedOf returns the key of what made the rows of a set; empty: it has none.
func fittedOf(m *dataset.Manifest) string {
	if i := slices.IndexFunc(m.More, func(key string) bool { return strings.HasSuffix(key, fittedName) }); i >= 0 {
		return m.More[i]
	}
	return ""
}

// fetch reads an object of the bucket at url.
func fetch(ctx context.Context, url, key string) (data []byte, err error) {
	b, err := storage.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	r, err := storage.Retry(b, storage.RetryPolicy{}).Get(ctx, key, 0, maxSaved)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// keep stores a saved pipeline in the bucket at url.
func keep(ctx context.Context, url, key string, saved []byte) (err error) {
	if len(saved) > maxSaved {
		return fmt.Errorf("preprocess: what was fitted takes %d bytes, and can take %d: %w", len(saved), maxSaved, fs.ErrInvalid)
	}
	b, err := storage.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := storage.Retry(b, storage.RetryPolicy{}).Put(ctx, key, bytes.NewReader(saved)); err != nil {
		return fmt.Errorf("preprocess: what was fitted could not be stored: %w", err)
	}
	return nil
}
