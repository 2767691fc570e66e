package memstore

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/gowren/gowren/storage"
)

func init() { storage.Register("mem", open) }

// buckets holds the buckets of this process by name.
var buckets = struct {
	sync.Mutex
	named map[string]*Bucket
	made  int
}{named: map[string]*Bucket{}}

// New returns an empty bucket under a name of its own, so that its URL opens it again in this process.
func New() *Bucket {
	buckets.Lock()
	defer buckets.Unlock()
	for {
		buckets.made++
		name := "new-" + strconv.Itoa(buckets.made)
		if buckets.named[name] == nil {
			return named(name)
		}
	}
}

// Open returns the bucket called name, which it makes when there is none. A name has letters, digits, '-', '_' and '.'.
func Open(name string) (*Bucket, error) {
	ok := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r)
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !ok(r) }) {
		return nil, fmt.Errorf("%w: memstore: the name %q is not made of letters, digits, '-', '_' and '.'", fs.ErrInvalid, name)
	}
	buckets.Lock()
	defer buckets.Unlock()
	return named(name), nil
}

// Delete forgets the bucket called name, if there is one. Those who hold it go on with it; the next [Open] of the name
// makes an empty one.
func Delete(name string) {
	buckets.Lock()
	defer buckets.Unlock()
	delete(buckets.named, name)
}

// named returns the bucket called name, made when there is none. The caller holds the lock.
func named(name string) *Bucket {
	b := buckets.named[name]
	if b == nil {
		b = &Bucket{name: name, objects: map[string]*object{}, folders: map[string]int{}}
		buckets.named[name] = b
	}
	return b
}

func open(_ context.Context, u *url.URL) (storage.Bucket, error) {
	if err := storage.CheckParams(u); err != nil {
		return nil, err
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: memstore: a mem:// URL has no user", fs.ErrInvalid)
	}
	b, err := Open(u.Host)
	if err != nil {
		return nil, err
	}
	return storage.Prefix(b, strings.Trim(u.Path, "/")), nil
}
