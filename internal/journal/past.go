package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"strconv"
	"sync"

	"github.com/gowren/gowren/storage"
)

// past holds the results of earlier runs: where each lies in a temporary file.
type past struct {
	mu   sync.Mutex
	at   map[ID]span
	file *os.File // has no name
	end  int64
}

type span struct {
	from int64
	size int32
}

func newPast() (*past, error) {
	f, err := os.CreateTemp("", "gowren-journal-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil { // it lives as long as it is open
		return nil, errors.Join(err, f.Close())
	}
	return &past{at: map[ID]span{}, file: f}, nil
}

func (p *past) close() error { return p.file.Close() }

// ahead is how many objects are read at once.
const ahead = 8

// inOrder yields what fetch returns for 0, 1, and so on, up to the first error, and reads ahead.
func inOrder(ctx context.Context, fetch func(ctx context.Context, n int) ([]byte, error)) iter.Seq2[[]byte, error] {
	type object struct {
		data []byte
		err  error
	}
	return func(yield func([]byte, error) bool) {
		var all sync.WaitGroup
		defer all.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var coming []chan object
		for n := 0; ; n++ {
			for len(coming) < ahead {
				c, at := make(chan object, 1), n+len(coming)
				coming = append(coming, c)
				all.Go(func() {
					data, err := fetch(ctx, at)
					c <- object{data, err}
				})
			}
			o := <-coming[0]
			coming = coming[1:]
			if !yield(o.data, o.err) || o.err != nil {
				return
			}
		}
	}
}

// readRun yields what a run has written: the entries of the objects from 0 on, to the first that is not there.
func readRun(ctx context.Context, b storage.Bucket, folder string, yield func(kind byte, id ID, data []byte) error) error {
	fetch := func(ctx context.Context, n int) ([]byte, error) {
		return get(ctx, b, path.Join(folder, strconv.Itoa(n)), maxObject)
	}
	n := 0
	for data, err := range inOrder(ctx, fetch) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = open(data, yield)
		}
		if err != nil {
			return fmt.Errorf("object %s/%d: %w", folder, n, err)
		}
		n++
	}
	return ctx.Err()
}

func (p *past) add(id ID, result []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.file.WriteAt(result, p.end); err != nil {
		return err
	}
	p.at[id] = span{p.end, int32(len(result))}
	p.end += int64(len(result))
	return nil
}

func (p *past) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.at)
}

func (p *past) recall(id ID) ([]byte, bool, error) {
	p.mu.Lock()
	s, kept := p.at[id]
	p.mu.Unlock()
	if !kept {
		return nil, false, nil
	}
	result := make([]byte, s.size)
	_, err := p.file.ReadAt(result, s.from)
	return result, err == nil, err
}
