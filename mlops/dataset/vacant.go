package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Vacant returns an error where shards of a schema cannot be committed at url, which a job should know before its work: there is
// a set already, which is fs.ErrExist; the place cannot be reached; or a feature is no number yet. What another commits
// meanwhile, [Commit] tells.
func Vacant(ctx context.Context, url string, s Schema) error {
	if url == "" {
		return fmt.Errorf("dataset: no place for the shards: the URL is empty: %w", fs.ErrInvalid)
	}
	if _, err := NewAssembler(s); err != nil {
		return err
	}
	b, err := open(ctx, url)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	_, err = b.Stat(ctx, manifestKey)
	switch closed := b.Close(); {
	case errors.Is(err, fs.ErrNotExist):
		return closed
	case err != nil:
		return fmt.Errorf("dataset: %w", err)
	}
	return fmt.Errorf("dataset: %s holds a dataset: choose another place, or delete %s and what it names: %w", url, manifestKey, fs.ErrExist)
}
