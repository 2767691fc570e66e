package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// sharedBytes bounds what a worker keeps of shared arguments, by their encoded size. The one in use is kept whatever
// its size.
const sharedBytes = 256 << 20

// sharedCache keeps decoded shared arguments by function and hash, the latest used last.
type sharedCache struct {
	mu    sync.Mutex
	kept  []keptArgument
	bytes int64
	limit int64 // of bytes
}

type keptArgument struct {
	function, hash string
	value          any
	size           int64
}

// argument returns the decoded shared argument of a request, fetched and decoded once.
func (w *Worker) argument(ctx context.Context, f *registry.Function, s wire.Shared) (any, error) {
	if f.Shared == nil || s.Hash == "" {
		if (f.Shared == nil) != (s.Hash == "") {
			return nil, fmt.Errorf("driver and worker disagree whether there is one")
		}
		return nil, nil
	}
	c := &w.shared
	c.mu.Lock() // held while fetching, so that it is done once
	defer c.mu.Unlock()
	for i, k := range c.kept {
		if k.hash == s.Hash && k.function == f.Name {
			c.kept = append(append(c.kept[:i:i], c.kept[i+1:]...), k)
			return k.value, nil
		}
	}
	data := s.Data
	if s.Key != "" {
		var err error
		if data, err = w.readAll(ctx, s.Key); err != nil {
			return nil, &registry.ReadError{Err: fmt.Errorf("the shared argument of %q could not be read: %w", f.Name, err)}
		}
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != s.Hash {
		return nil, fmt.Errorf("%d bytes came that are not the ones the driver sent (SHA-256): %w", len(data), wire.ErrCorrupt)
	}
	value, err := decodeShared(f, data)
	if err != nil {
		return nil, err
	}
	c.kept = append(c.kept, keptArgument{f.Name, s.Hash, value, int64(len(data))})
	c.bytes += int64(len(data))
	for len(c.kept) > 1 && c.bytes > c.limit {
		c.bytes -= c.kept[0].size
		c.kept[0] = keptArgument{} // the array stays, the value must not
		c.kept = c.kept[1:]
	}
	return value, nil
}

// decodeShared decodes the argument. A type's own decoding may panic, and this is the goroutine that serves the request.
func decodeShared(f *registry.Function, data []byte) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its decoding panicked: %v\n%s", p, stack())
		}
	}()
	return f.Shared(serialize.NewCoder(), data)
}
