package preprocess

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// head is how much of a source tells how long its rows are.
const head = 64 << 10

// rowsOf guesses how many rows parts have, from how long the first lines are. It costs a request.
func rowsOf(ctx context.Context, parts []dataset.Part) (_ int64, err error) {
	all := int64(0)
	for _, p := range parts {
		all += p.Len
	}
	first := parts[0]
	b, err := storage.Open(ctx, first.URL)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	r, err := b.Get(ctx, first.Key, 0, head)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil || len(data) == 0 {
		return 0, err
	}
	return int64(float64(all) / float64(len(data)) * float64(bytes.Count(data, []byte{'\n'}))), nil
}
