package storage

import (
	"context"
	"io"
	"iter"
)

// Count returns a bucket that knows its [Stats]. Where b, or what it wraps, counts its own requests, as the drivers of
// clouds do, these are theirs; otherwise each operation counts as one request, and a listing as one for a thousand
// objects. Close closes b.
func Count(b Bucket) Bucket {
	if _, ok := StatsOf(b); ok {
		return b
	}
	return Tally(b, new(Meter))
}

// Tally returns a bucket that counts in m what is asked through it, and that alone, for one of several users of b. Each
// operation counts as one request, and a listing as one for a thousand objects, whatever a driver makes of it: an object
// that is uploaded in parts counts as one. The Stats of what it returns are those of m; b counts as before. Close closes b.
func Tally(b Bucket, m *Meter) Bucket { return &counting{b, m} }

type counting struct {
	Bucket
	meter *Meter
}

// Stats implements [Metered].
func (c *counting) Stats() Stats { return c.meter.Stats() }

// Unwrap returns the bucket that is counted.
func (c *counting) Unwrap() Bucket { return c.Bucket }

func (c *counting) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	c.meter.Request(KindGet)
	r, err := c.Bucket.Get(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	return &countedGet{c.meter.Receiving(r), r}, nil
}

// countedGet is as [Tagged] as what it counts.
type countedGet struct {
	io.ReadCloser
	of io.Reader
}

func (c *countedGet) ETag() string { return tagOf(c.of) }

func (c *counting) Put(ctx context.Context, key string, data io.Reader) error {
	c.meter.Request(KindPut)
	return c.Bucket.Put(ctx, key, c.meter.Sending(data))
}

func (c *counting) PutNew(ctx context.Context, key string, data io.Reader) error {
	c.meter.Request(KindPut)
	return c.Bucket.PutNew(ctx, key, c.meter.Sending(data))
}

func (c *counting) Stat(ctx context.Context, key string) (Object, error) {
	c.meter.Request(KindStat)
	return c.Bucket.Stat(ctx, key)
}

func (c *counting) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		c.meter.Request(KindList)
		n := 0
		for o, err := range c.Bucket.List(ctx, prefix) {
			if n++; n > 1000 {
				c.meter.Request(KindList)
				n = 1
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

func (c *counting) Delete(ctx context.Context, keys ...string) error {
	c.meter.Request(KindDelete)
	return c.Bucket.Delete(ctx, keys...)
}
