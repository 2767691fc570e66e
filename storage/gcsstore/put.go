package gcsstore

import (
	"context"
	"fmt"
	"io"

	gcs "cloud.google.com/go/storage"

	"github.com/gowren/gowren/storage"
)

// Put implements [storage.Bucket].
func (b *Bucket) Put(ctx context.Context, key string, data io.Reader) error {
	return b.put(ctx, "put", key, data, false)
}

// PutNew implements [storage.Bucket]. It sends the request that commits one time.
func (b *Bucket) PutNew(ctx context.Context, key string, data io.Reader) error {
	return b.put(ctx, "putnew", key, data, true)
}

func (b *Bucket) put(ctx context.Context, op, key string, data io.Reader, once bool) error {
	if err := checkKey(key); err != nil {
		return b.fail(op, key, err)
	}
	c := b.newCall(storage.KindPut)
	c.once = once
	o := b.object(key, c)
	if once {
		o = o.If(gcs.Conditions{DoesNotExist: true})
	}
	size, err := remaining(data)
	if err != nil {
		return b.fail(op, key, err)
	}
	u := &upload{source: source{r: storage.WithContext(ctx, data)}, size: size, part: b.part}
	attrs, err := u.send(c.in(ctx), o, c)
	switch {
	case u.source.failed():
		err = u.source.err
	case err != nil:
		err = b.classify(ctx, c, err)
	case attrs.CRC32C != u.sum && attrs.CRC32C != 0 || attrs.Size != u.sent: // an answer without a sum proves nothing
		err = b.undo(ctx, key, attrs.Generation)
	}
	if err != nil {
		return b.fail(op, key, err)
	}
	return nil
}

// undo removes an object whose bytes are not those that were sent. The service checks the sum before it makes an object;
// this is for servers that do not.
func (b *Bucket) undo(ctx context.Context, key string, generation int64) error {
	c := b.newCall(storage.KindDelete)
	wrong := "the server has stored other bytes than were sent"
	if err := b.object(key, c).Generation(generation).Delete(c.in(ctx)); err != nil {
		return fmt.Errorf("%s, and they stay under the key: %w", wrong, b.classify(ctx, c, err))
	}
	return fmt.Errorf("%s; they were removed", wrong)
}
