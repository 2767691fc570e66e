package redisstore

import (
	"context"
	"iter"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/gowren/gowren/storage"
)

// atOnce is how many keys a script lists or deletes, during which the server does nothing else: a millisecond or so.
const atOnce = 1000

// List asks for pages of the index. A page is of one moment, the listing is not.
func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		from, to := "["+prefix, after(prefix)
		for {
			found, err := call(ctx, b, func(ctx context.Context) ([]string, error) {
				return page.Run(ctx, b.client, []string{indexName}, from, to, atOnce).StringSlice()
			})
			if err != nil {
				yield(storage.Object{}, b.fail("list", prefix, err))
				return
			}
			for key, line := range pairs(found) {
				if line == "" {
					continue // expired
				}
				h, _, err := parseHeader([]byte(line))
				if err != nil {
					yield(storage.Object{}, b.fail("list", prefix, err))
					return
				}
				if !yield(h.describe(key), nil) {
					return
				}
			}
			if len(found) < 2*atOnce {
				return
			}
			from = "(" + found[len(found)-2]
		}
	}
}

// after returns the end of the keys with the prefix, as ZRANGEBYLEX wants it.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return "(" + prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return "+"
}

// pairs yields each element with an even index and the next.
func pairs(s []string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(s); i += 2 {
			if !yield(s[i], s[i+1]) {
				return
			}
		}
	}
}

// Delete checks all keys before it removes any.
func (b *bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := storage.CheckKey(key); err != nil {
			return b.fail("delete", key, err)
		}
	}
	for some := range slices.Chunk(keys, atOnce) {
		args := make([]any, len(some))
		for i, key := range some {
			args[i] = key
		}
		_, err := change(ctx, b, func(ctx context.Context) (any, error) {
			v, err := remove.Run(ctx, b.client, []string{indexName}, args...).Result()
			if err == redis.Nil {
				err = nil // the script answers nothing
			}
			return v, err
		})
		if err != nil {
			return b.fail("delete", some[0], err)
		}
	}
	return nil
}
