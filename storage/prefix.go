package storage

import (
	"context"
	"io"
	"iter"
	"net/url"
	"strings"
)

// Prefix returns a bucket of b's keys under prefix, as seen from there: its key "x" is b's key prefix + "/x". A prefix
// that does not end in a slash gets one, and an empty prefix returns b itself. One that b cannot hold in a key makes
// every operation fail with [io/fs.ErrInvalid].
//
// Its Close does nothing: several share b, whose owner closes it. Its URL is that of b with the prefix added to the path.
func Prefix(b Bucket, prefix string) Bucket {
	if prefix == "" {
		return b
	}
	if !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return &prefixed{b, prefix}
}

// OwnedPrefix is [Prefix] for who opens b for that prefix alone: closing what it returns closes b. Drivers use it for URLs
// with a prefix.
func OwnedPrefix(b Bucket, prefix string) Bucket {
	if prefix == "" {
		return b
	}
	return &owned{Prefix(b, prefix), b}
}

type owned struct {
	Bucket
	whole Bucket
}

func (o *owned) Close() error { return o.whole.Close() }

// Unwrap returns the part of the bucket, which closes nothing.
func (o *owned) Unwrap() Bucket { return o.Bucket }

type prefixed struct {
	parent Bucket
	prefix string
}

func (p *prefixed) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := CheckKey(key); err != nil {
		return nil, &Error{"get", p.URL(), key, err}
	}
	r, err := p.parent.Get(ctx, p.prefix+key, off, n)
	return r, p.rename(err)
}

func (p *prefixed) Put(ctx context.Context, key string, data io.Reader) error {
	if err := CheckKey(key); err != nil {
		return &Error{"put", p.URL(), key, err}
	}
	return p.rename(p.parent.Put(ctx, p.prefix+key, data))
}

func (p *prefixed) PutNew(ctx context.Context, key string, data io.Reader) error {
	if err := CheckKey(key); err != nil {
		return &Error{"putnew", p.URL(), key, err}
	}
	return p.rename(p.parent.PutNew(ctx, p.prefix+key, data))
}

func (p *prefixed) Stat(ctx context.Context, key string) (Object, error) {
	if err := CheckKey(key); err != nil {
		return Object{}, &Error{"stat", p.URL(), key, err}
	}
	o, err := p.parent.Stat(ctx, p.prefix+key)
	o.Key = strings.TrimPrefix(o.Key, p.prefix)
	return o, p.rename(err)
}

func (p *prefixed) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range p.parent.List(ctx, p.prefix+prefix) {
			if err == nil && o.Key == p.prefix {
				continue // a web console's folder marker: an object that has no key here
			}
			o.Key = strings.TrimPrefix(o.Key, p.prefix)
			if !yield(o, p.rename(err)) {
				return
			}
		}
	}
}

func (p *prefixed) Delete(ctx context.Context, keys ...string) error {
	full := make([]string, len(keys))
	for i, key := range keys {
		if err := CheckKey(key); err != nil {
			return &Error{"delete", p.URL(), key, err}
		}
		full[i] = p.prefix + key
	}
	return p.rename(p.parent.Delete(ctx, full...))
}

func (p *prefixed) URL() string {
	u, err := url.Parse(p.parent.URL())
	if err != nil {
		return p.parent.URL() // a driver's fault, which its conformance test finds
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + strings.TrimSuffix(p.prefix, "/")
	u.RawPath = ""
	return u.String()
}

func (p *prefixed) Close() error { return nil }

// Unwrap returns the bucket that this one is a part of.
func (p *prefixed) Unwrap() Bucket { return p.parent }

// rename tells an error of the parent in this bucket's words.
func (p *prefixed) rename(err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // one deeper inside is part of another's message
		return &Error{e.Op, p.URL(), strings.TrimPrefix(e.Key, p.prefix), e.Err}
	}
	return err
}
