package worker

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/gowren/gowren/internal/wire"
)

// read returns n bytes of an object, from off on.
func (w *Worker) read(ctx context.Context, key string, off, n int64) ([]byte, error) {
	b, err := w.bucket(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.Get(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// The buffer grows with what comes: a size that was only claimed allocates nothing.
	var buf bytes.Buffer
	got, err := io.Copy(&buf, io.LimitReader(r, n+1))
	if err == nil && got != n {
		err = fmt.Errorf("object %q has %d bytes from offset %d on where %d were promised", key, got, off, n)
	}
	return buf.Bytes(), err
}

// readAll returns a whole object.
func (w *Worker) readAll(ctx context.Context, key string) ([]byte, error) {
	b, err := w.bucket(ctx)
	if err != nil {
		return nil, err
	}
	o, err := b.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return w.read(ctx, key, 0, o.Size)
}

// store puts a result into the bucket. Its name is its own: another attempt never overwrites it.
func (w *Worker) store(ctx context.Context, req *wire.Request, index int64, value []byte) (wire.Stored, error) {
	b, err := w.bucket(ctx)
	if err != nil {
		return wire.Stored{}, err
	}
	var id [8]byte
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	key := fmt.Sprintf("%s/out/%d-%s", req.Prefix, index, hex.EncodeToString(id[:]))
	if err := b.Put(ctx, key, bytes.NewReader(value)); err != nil {
		return wire.Stored{}, err
	}
	return wire.Stored{Key: key, Size: int64(len(value)), Sum: wire.Checksum(value)}, nil
}
