package storagetest

import (
	"context"
	"io"
	"iter"
	"path"
	"sync"
	"time"

	"github.com/gowren/gowren/storage"
)

// Rule says which operations of a bucket fail, and how. The first rule that matches an operation and is due applies; the
// others count it all the same.
type Rule struct {
	// Op is get, put, putnew, stat, list or delete. Empty matches all.
	Op string
	// Key is a pattern of [path.Match], where * stops at slashes, for the key, or for the prefix of a list; a delete
	// matches by any of its keys. Empty matches all.
	Key string
	// Nth makes the rule due at the n-th match alone, counted from 1. Zero: at each.
	Nth int
	// Every makes the rule due at each match whose number it divides. Zero: at each.
	Every int

	// Delay passes before anything is done, unless ctx ends.
	Delay time.Duration
	// Stall waits until ctx ends, and fails with its error: a store that does not answer.
	Stall bool
	// Before is returned in place of doing anything: a request that was lost, or refused ([storage.ErrThrottled]).
	Before error
	// After is returned when all was done: a reply that was lost.
	After error
	// Cut ends a get after At bytes, or a list after At objects, unless its end comes first.
	Cut error
	At  int64
}

// Faults returns a bucket that does what b does, except where a rule is due. Its errors are [storage.Error]s. Close and
// URL are those of b.
func Faults(b storage.Bucket, rules ...Rule) storage.Bucket {
	return &faulty{b: b, rules: rules, matches: make([]int, len(rules))}
}

type faulty struct {
	b       storage.Bucket
	rules   []Rule
	mu      sync.Mutex
	matches []int // of each rule so far
}

// due counts an operation and returns the rule that applies to it, or one that does nothing.
func (f *faulty) due(op string, keys ...string) Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found *Rule
	for i := range f.rules {
		r := &f.rules[i]
		if !r.match(op, keys) {
			continue
		}
		f.matches[i]++
		n := f.matches[i]
		if found == nil && (r.Nth == 0 || n == r.Nth) && (r.Every == 0 || n%r.Every == 0) {
			found = r
		}
	}
	if found == nil {
		return Rule{}
	}
	return *found
}

func (r *Rule) match(op string, keys []string) bool {
	if r.Op != "" && r.Op != op {
		return false
	}
	if r.Key == "" {
		return true
	}
	for _, key := range keys {
		if ok, err := path.Match(r.Key, key); err != nil {
			panic("storagetest: the rule's key " + r.Key + " is not a pattern: " + err.Error())
		} else if ok {
			return true
		}
	}
	return false
}

// before does what a rule asks for ahead of the operation.
func (r *Rule) before(ctx context.Context) error {
	if r.Delay > 0 {
		timer := time.NewTimer(r.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.Stall {
		<-ctx.Done()
		return ctx.Err()
	}
	return r.Before
}

// do runs one operation under the rule that is due.
func (f *faulty) do(ctx context.Context, op string, keys []string, try func() error) error {
	rule := f.due(op, keys...)
	err := rule.before(ctx)
	if err == nil {
		if err := try(); err != nil {
			return err
		}
		err = rule.After
	}
	if err == nil {
		return nil
	}
	return f.fail(op, keys, err)
}

func (f *faulty) fail(op string, keys []string, err error) error {
	e := &storage.Error{Op: op, URL: f.b.URL(), Err: err}
	if len(keys) > 0 {
		e.Key = keys[0]
	}
	return e
}

func (f *faulty) Put(ctx context.Context, key string, data io.Reader) error {
	return f.do(ctx, "put", []string{key}, func() error { return f.b.Put(ctx, key, data) })
}

func (f *faulty) PutNew(ctx context.Context, key string, data io.Reader) error {
	return f.do(ctx, "putnew", []string{key}, func() error { return f.b.PutNew(ctx, key, data) })
}

func (f *faulty) Delete(ctx context.Context, keys ...string) error {
	return f.do(ctx, "delete", keys, func() error { return f.b.Delete(ctx, keys...) })
}

func (f *faulty) Stat(ctx context.Context, key string) (o storage.Object, err error) {
	err = f.do(ctx, "stat", []string{key}, func() error {
		o, err = f.b.Stat(ctx, key)
		return err
	})
	return o, err
}

func (f *faulty) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	rule := f.due("get", key)
	err := rule.before(ctx)
	if err != nil {
		return nil, f.fail("get", []string{key}, err)
	}
	r, err := f.b.Get(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	if rule.After != nil {
		r.Close()
		return nil, f.fail("get", []string{key}, rule.After)
	}
	if rule.Cut == nil {
		return r, nil
	}
	return &cutReader{r, rule.At, f.fail("get", []string{key}, rule.Cut)}, nil
}

// cutReader fails with err after left bytes.
type cutReader struct {
	io.ReadCloser
	left int64
	err  error
}

func (c *cutReader) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, c.err
	}
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

func (c *cutReader) ETag() string {
	if t, ok := c.ReadCloser.(storage.Tagged); ok {
		return t.ETag()
	}
	return ""
}

func (f *faulty) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		rule, keys := f.due("list", prefix), []string{prefix}
		if err := rule.before(ctx); err != nil {
			yield(storage.Object{}, f.fail("list", keys, err))
			return
		}
		left := rule.At
		for o, err := range f.b.List(ctx, prefix) {
			if rule.Cut != nil && left == 0 {
				yield(storage.Object{}, f.fail("list", keys, rule.Cut))
				return
			}
			left--
			if !yield(o, err) || err != nil {
				return
			}
		}
		if rule.After != nil {
			yield(storage.Object{}, f.fail("list", keys, rule.After))
		}
	}
}

func (f *faulty) URL() string { return f.b.URL() }

func (f *faulty) Close() error { return f.b.Close() }

// Unwrap returns the bucket that does not fail.
func (f *faulty) Unwrap() storage.Bucket { return f.b }
