package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
)

// listing is what a URL of [Splits] names.
type listing struct {
	b       Bucket // of the objects; open
	objects []Object
}

// list finds the objects at rawURL, of which there is at least one.
func list(ctx context.Context, rawURL string) (listing, error) {
	u, err := parse(rawURL)
	if err != nil {
		return listing{}, err
	}
	p, err := parsePattern(u)
	if err != nil {
		return listing{}, err
	}
	if p != nil {
		return listFolder(ctx, p.folder, p.prefix, p.match, rawURL)
	}
	l, err := listFolder(ctx, rawURL, "", func(string) bool { return true }, rawURL)
	if err == nil {
		return l, nil
	}
	// Nothing lies below: is it an object itself? A file store cannot open a file as a folder, and says so by an error.
	l, alone := listObject(ctx, u)
	switch {
	case alone == nil:
		return l, nil
	case !errors.Is(err, fs.ErrNotExist):
		return listing{}, err
	case errors.Is(alone, fs.ErrNotExist):
		return listing{}, err
	}
	return listing{}, alone
}

// listFolder lists the keys of a bucket that begin with prefix and match.
func listFolder(ctx context.Context, folder, prefix string, match func(key string) bool, rawURL string) (listing, error) {
	b, err := Open(ctx, folder)
	if err != nil {
		return listing{}, err
	}
	l := listing{b: Retry(b, RetryPolicy{})}
	for o, err := range l.b.List(ctx, prefix) {
		if err != nil {
			_ = b.Close() // only read
			return listing{}, err
		}
		if match(o.Key) {
			l.objects = append(l.objects, o)
		}
	}
	if len(l.objects) == 0 {
		_ = b.Close() // only read
		return listing{}, fmt.Errorf("storage: nothing is at %s: %w", rawURL, fs.ErrNotExist)
	}
	return l, nil
}

// listObject finds the one object whose key is the last element of u's path.
func listObject(ctx context.Context, u *url.URL) (listing, error) {
	dir, key := path.Split(u.Path)
	if key == "" {
		return listing{}, fs.ErrNotExist
	}
	b, err := Open(ctx, above(u, dir, ""))
	if err != nil {
		return listing{}, err
	}
	l := listing{b: Retry(b, RetryPolicy{})}
	o, err := l.b.Stat(ctx, key)
	if err != nil {
		_ = b.Close() // only read
		return listing{}, err
	}
	l.objects = []Object{o}
	return l, nil
}

// above is the URL of a folder that u lies in: its path, and how that is written where it is not written as usual.
func above(u *url.URL, dir, raw string) string {
	folder := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, RawQuery: u.RawQuery, Path: dir, RawPath: raw}
	if dir != "/" {
		folder.Path, folder.RawPath = strings.TrimSuffix(dir, "/"), strings.TrimSuffix(raw, "/")
	}
	return folder.String()
}
