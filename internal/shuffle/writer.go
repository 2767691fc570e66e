package shuffle

import (
	"bytes"
	"context"
	"fmt"

	"github.com/gowren/gowren/storage"
)

// Plan is what all map tasks of a job have in common.
type Plan struct {
	Folder   string // that the objects are in, in the job's bucket
	Parts    int    // hash partitions; 0 is for sorting
	Buffer   int    // bytes of records in memory, at which they are written as a run
	Inline   int    // bytes up to which all that a task emits travels in its result
	Compress bool   // whether workers and store are apart, so that it pays
}

// Output is what a map task has emitted.
type Output struct {
	_msgpack struct{} `msgpack:",as_array"`

	Name string // of the object in the folder; empty where Data has the runs themselves
	Data []byte
	Runs []Run
}

// Writer takes the records of one map task: all by Add, or all by Find where values are folded.
type Writer struct {
	*Buffer
	ctx    context.Context
	plan   Plan
	bucket func(context.Context) (storage.Bucket, error)
	// value returns what was made of the record with a number of Find.
	value  func(number uint32) ([]byte, error)
	out    Output
	name   string
	off    int64
	upload *Upload
}

// NewWriter returns the writer of a task, which Finish or Abort ends. The objects' names begin with name.
func NewWriter(ctx context.Context, p Plan, name string, bucket func(context.Context) (storage.Bucket, error), value func(uint32) ([]byte, error)) *Writer {
	return &Writer{Buffer: NewBuffer(max(p.Parts, 1)), ctx: ctx, plan: p, bucket: bucket, value: value, name: name}
}

// Full reports whether the records, with so many more bytes that the caller keeps for them, fill the buffer: then Spill
// is next.
func (w *Writer) Full(more int) bool {
	return w.Size()+more >= w.plan.Buffer || w.Buffer.Full()
}

// Spill writes the records as a run, and empties the buffer. Numbers of Find begin at 0 again.
func (w *Writer) Spill() error {
	if w.upload == nil {
		b, err := w.bucket(w.ctx)
		if err != nil {
			return err
		}
		w.out.Name = name(w.name)
		w.upload = NewUpload(w.ctx, b, w.plan.Folder+"/"+w.out.Name)
	}
	return w.write(w.upload)
}

// write appends the records as a run.
func (w *Writer) write(to interface{ Write([]byte) (int, error) }) error {
	r := newRunWriter(to, w.off, w.plan.Parts, w.plan.Compress)
	if err := w.Buffer.write(r, w.value); err != nil {
		return err
	}
	run, err := r.finish()
	w.off += r.pos
	w.out.Runs = append(w.out.Runs, run)
	w.Reset()
	return err
}

// Finish stores what is left, and tells where all is.
func (w *Writer) Finish() (Output, error) {
	if w.upload != nil {
		if w.Len() > 0 {
			if err := w.write(w.upload); err != nil {
				return Output{}, err
			}
		}
		u := w.upload
		w.upload = nil
		return w.out, u.Close()
	}
	if w.Len() == 0 {
		return Output{}, nil
	}
	var all bytes.Buffer
	all.Grow(min(w.taken+w.taken/16, w.plan.Buffer))
	if err := w.write(&all); err != nil {
		return Output{}, err
	}
	if all.Len() <= w.plan.Inline {
		w.out.Data = all.Bytes()
		return w.out, nil
	}
	b, err := w.bucket(w.ctx)
	if err != nil {
		return Output{}, err
	}
	w.out.Name = name(w.name)
	if err := b.Put(w.ctx, w.plan.Folder+"/"+w.out.Name, bytes.NewReader(all.Bytes())); err != nil {
		return Output{}, fmt.Errorf("%d bytes for the reducers: %w", all.Len(), err)
	}
	return w.out, nil
}

// Abort gives up what was not finished, and frees the buffer.
func (w *Writer) Abort(err error) {
	w.Reset()
	if w.upload != nil {
		w.upload.Abort(err)
		w.upload = nil
	}
}
