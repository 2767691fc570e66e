package mapper

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/gowren/gowren/storage"
)

// inventory tells the size of an object, if it is there. One that is new may have been written a moment ago.
type inventory func(ctx context.Context, key string, fresh bool) (size int64, there bool, err error)

// newInventory returns that of the objects whose keys begin with prefix. All are listed with the first question: it is asked
// of many. It takes memory for their keys. Of what is fresh and was not there then, each is looked for.
func newInventory(b storage.Bucket, prefix string) inventory {
	var mu sync.Mutex
	var sizes map[string]int64
	look := func(ctx context.Context, key string) (int64, bool, error) {
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
	return func(ctx context.Context, key string, fresh bool) (int64, bool, error) {
		size, there, err := look(ctx, key)
		if there || err != nil || !fresh {
			return size, there, err
		}
		o, err := b.Stat(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, false, nil
		}
		return o.Size, err == nil, err
	}
}
