package mapper

import (
	"context"
	"sync"

	"github.com/gowren/gowren/storage"
)

// inventory returns what tells the size of an object whose key begins with prefix, if it is there. All are listed with the
// first question: it is asked of many. It takes memory for their keys.
func inventory(b storage.Bucket, prefix string) func(ctx context.Context, key string) (int64, bool, error) {
	var mu sync.Mutex
	var sizes map[string]int64
	return func(ctx context.Context, key string) (int64, bool, error) {
		mu.Lock()
		defer mu.Unlock()
		if sizes == nil {
			all := map[string]int64{}
			for o, err := range b.List(ctx, prefix) {
				if err != nil {
					return 0, false, err
				}
				all[o.Key] = o.Size
			}
			sizes = all
		}
		size, there := sizes[key]
		return size, there, nil
	}
}
