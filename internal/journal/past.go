package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"

	"github.com/gowren/gowren/storage"
)

// past holds the results of earlier runs: where each lies in a temporary file.
type past struct {
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

// read takes what a run has written: the objects from 0 on, to the first that is not there.
func (p *past) read(ctx context.Context, b storage.Bucket, run string) error {
	type object struct {
		data []byte
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var coming []chan object
	for n := 0; ; n++ {
		for len(coming) < ahead {
			c := make(chan object, 1)
			key := path.Join(run, strconv.Itoa(n+len(coming)))
			coming = append(coming, c)
			go func() {
				data, err := get(ctx, b, key, maxObject)
				c <- object{data, err}
			}()
		}
		o := <-coming[0]
		coming = coming[1:]
		if errors.Is(o.err, fs.ErrNotExist) {
			cancel()
			for _, c := range coming {
				<-c
			}
			return nil
		}
		if o.err == nil {
			o.err = open(o.data, p.add)
		}
		if o.err != nil {
			cancel()
			for _, c := range coming {
				<-c
			}
			return fmt.Errorf("object %s/%d: %w", run, n, o.err)
		}
	}
}

func (p *past) add(id ID, result []byte) error {
	if _, err := p.file.WriteAt(result, p.end); err != nil {
		return err
	}
	p.at[id] = span{p.end, int32(len(result))}
	p.end += int64(len(result))
	return nil
}

func (p *past) recall(id ID) ([]byte, bool, error) {
	s, kept := p.at[id]
	if !kept {
		return nil, false, nil
	}
	result := make([]byte, s.size)
	_, err := p.file.ReadAt(result, s.from)
	return result, err == nil, err
}
