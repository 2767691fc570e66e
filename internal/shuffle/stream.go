package shuffle

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/gowren/gowren/storage"
)

// Segment is a range of a run.
type Segment struct {
	_msgpack struct{} `msgpack:",as_array"`

	Name string // of the object; empty where Data has the range itself
	Off  int64
	Size int64
	Data []byte
	// After drops the records whose keys are those of the task's From; Through keeps those of its To.
	After, Through bool
}

// Task is what a reduce task reads: a range of each run, in the order in which records of equal keys come.
type Task struct {
	_msgpack struct{} `msgpack:",as_array"`

	Segments []Segment
	From, To []byte // bounds on the keys, where sorting; nil is none
}

// stream reads the records of a segment, one at a time.
type stream struct {
	seg    *Segment
	task   *Task
	body   io.ReadCloser
	blocks blockReader
	data   []byte // of the block, after the record

	prefix uint64
	key    []byte
	value  []byte
	done   bool // there is no record
}

// open begins to read, and goes to the first record.
func (s *stream) open(ctx context.Context, b func(context.Context) (storage.Bucket, error), folder string) error {
	if s.seg.Name == "" {
		s.blocks = blockReader{src: bytes.NewReader(s.seg.Data), left: int64(len(s.seg.Data))}
	} else {
		bucket, err := b(ctx)
		if err != nil {
			return err
		}
		r, err := bucket.Get(ctx, folder+"/"+s.seg.Name, s.seg.Off, s.seg.Size)
		if err != nil {
			return err
		}
		s.body, s.blocks = r, blockReader{src: r, left: s.seg.Size}
	}
	for {
		if err := s.next(); err != nil || s.done || !s.before() {
			return err
		}
	}
}

// before reports whether the record comes before the task's range.
func (s *stream) before() bool {
	if s.task.From == nil {
		return false
	}
	c := bytes.Compare(s.key, s.task.From)
	return c < 0 || c == 0 && s.seg.After
}

// next goes to the next record, or to the end.
func (s *stream) next() error {
	if len(s.data) == 0 {
		data, err := s.blocks.next()
		if err == nil && len(data) == 0 {
			err = errRecord
		}
		if err == io.EOF {
			s.end()
			return nil
		}
		if err != nil {
			return s.fail(err)
		}
		s.data, s.key = data, s.key[:0]
		if s.blocks.left == 0 {
			s.close() // a connection less to hold
		}
	}
	r, err := parse(s.data, len(s.key))
	if err != nil {
		return s.fail(err)
	}
	s.data = s.data[r.size:]
	s.key = append(s.key[:r.shared], r.rest...)
	s.prefix, s.value = prefix(s.key), r.value
	if s.task.To != nil {
		if c := bytes.Compare(s.key, s.task.To); c > 0 || c == 0 && !s.seg.Through {
			s.end()
		}
	}
	return nil
}

func (s *stream) end() {
	s.done, s.value = true, nil
	s.close()
}

func (s *stream) close() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}

func (s *stream) fail(err error) error {
	if s.seg.Name == "" {
		return fmt.Errorf("records that came with the task: %w", err)
	}
	return fmt.Errorf("object %q, bytes %d to %d: %w", s.seg.Name, s.seg.Off, s.seg.Off+s.seg.Size, err)
}
