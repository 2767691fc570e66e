package dataset

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/gowren/gowren/storage"
)

// WriterOptions are for [NewWriter].
type WriterOptions struct {
	// Schema is that of the rows: of numbers and vectors of a known width. It says whether there are labels and weights.
	Schema Schema
	// ShardBytes bounds a shard, before compression, unless one row is larger. Defaults to 16 MiB, at most 128 MiB. A writer
	// takes twice as much memory.
	ShardBytes int
	// GroupBytes and GroupRows bound a row group: the bytes on average over the shard, before compression. A group is what
	// readers read at once, and what they shuffle. They default to 1 MiB and 8,192 rows, at most 65,536.
	GroupBytes, GroupRows int
	// Compress compresses each group with Zstandard.
	Compress bool
}

func (o WriterOptions) check() error {
	if err := o.Schema.Check(); err != nil {
		return err
	}
	if err := encoded(o.Schema); err != nil {
		return err
	}
	if o.ShardBytes < 0 || o.ShardBytes > maxGroup/2 || o.GroupBytes < 0 || o.GroupRows < 0 || o.GroupRows > maxRows {
		return fmt.Errorf("dataset: shards of %d bytes, groups of %d bytes or %d rows: %w", o.ShardBytes, o.GroupBytes, o.GroupRows, fs.ErrInvalid)
	}
	return nil
}

// Writer stores batches as shards. It is for one goroutine.
//
//	w, err := dataset.NewWriter(ctx, bucket, job, dataset.WriterOptions{Schema: s})
//	for batch, err = range … {
//		if err == nil {
//			err = w.Write(batch)
//		}
//		if err != nil {
//			break
//		}
//	}
//	shards, stored := w.Close()             // in any case
//	return shards, cmp.Or(err, stored)      // to who calls Commit
type Writer struct {
	ctx     context.Context
	bucket  storage.Bucket
	attempt string // the beginning of all keys
	options WriterOptions

	started bool // the form is known: by the first batch
	form    form
	room
	shards  []Shard
	storing chan error // has what became of the shard that is being stored; nil: none is
	err     error      // of the write that failed; what comes after it fails, too
}

// room is what a writer needs memory for.
type room struct {
	rows    pending
	out     []byte // a shard as it is stored
	scratch []byte // a group before compression
}

// rooms are of writers that are closed: a worker's next task needs as much, which takes longer to clear than to fill.
var rooms sync.Pool

// pending are the rows of a shard that is not stored yet.
type pending struct {
	rows                    int
	labels, weights, values []float32
	ends                    []uint32 // of a sparse shard: where each row ends
	idx                     []uint32
}

// NewWriter returns a writer of shards to b, below prefix: a job's own name, which is a key without a slash at its end.
// Each writer's keys are its own, so that attempts at a task do not disturb each other. Those whose shards are not committed
// leave them, for [Commit] or [Discard] to remove.
func NewWriter(ctx context.Context, b storage.Bucket, prefix string, o WriterOptions) (*Writer, error) {
	err := cmp.Or(o.check(), storage.CheckKey(prefix))
	if err != nil {
		return nil, err
	}
	o.ShardBytes = cmp.Or(o.ShardBytes, 16<<20)
	o.GroupBytes = cmp.Or(o.GroupBytes, 1<<20)
	o.GroupRows = cmp.Or(o.GroupRows, 8<<10)
	r, ok := rooms.Get().(*room)
	if !ok {
		r = &room{}
	}
	return &Writer{
		room: *r, ctx: ctx, bucket: storage.Retry(b, storage.RetryPolicy{}), options: o,
		attempt: prefix + "/shard-" + rand.Text()[:12] + "-",
		form: form{
			labels: o.Schema.With(Label) >= 0, weights: o.Schema.With(Weight) >= 0, zstd: o.Compress, width: o.Schema.Width(),
		},
	}, nil
}

// Write adds rows. A full shard is stored in the background, while the next one fills; Write waits for it when that is full,
// too. It keeps nothing of b. All batches are dense or all are sparse. After an error the writer is of no more use.
func (w *Writer) Write(b *Batch) error {
	if w.err == nil {
		w.err = w.write(b)
	}
	return w.err
}

func (w *Writer) write(b *Batch) error {
	if err := b.check(); err != nil {
		return fmt.Errorf("dataset: a batch that cannot be: %w: %w", err, fs.ErrInvalid)
	}
	if b.Rows == 0 {
		return nil
	}
	f := &w.form
	if !w.started {
		w.started, f.sparse = true, b.Sparse()
	}
	if b.Width != f.width || b.Sparse() != f.sparse || (b.Labels != nil) != f.labels || (b.Weights != nil) != f.weights {
		return fmt.Errorf("dataset: a batch %d wide (sparse: %t, labels: %t, weights: %t) in a set %d wide (sparse: %t, labels: %t, weights: %t): %w",
			b.Width, b.Sparse(), b.Labels != nil, b.Weights != nil, f.width, f.sparse, f.labels, f.weights, fs.ErrInvalid)
	}
	for from := 0; from < b.Rows; {
		to, err := w.fits(b, from)
		if err != nil {
			return err
		}
		w.rows.add(f, b, from, to)
		if from = to; from < b.Rows {
			if err := w.store(); err != nil {
				return err
			}
		}
	}
	return nil
}

// fits returns up to which row a batch goes into the shard: one at least where that is empty.
func (w *Writer) fits(b *Batch, from int) (int, error) {
	room := w.options.ShardBytes - w.rows.size(&w.form)
	to := from
	for ; to < b.Rows; to++ {
		size := 4 * (1 + b.Width)
		if b.Sparse() {
			size = 4 + 8*(b.Ptr[to+1]-b.Ptr[to])
		}
		size += 8
		if size > maxGroup/2 {
			return 0, fmt.Errorf("dataset: a row of %d bytes: at most %d are written: %w", size, maxGroup/2, fs.ErrInvalid)
		}
		empty := w.rows.rows == 0 && to == from
		if room -= size; room < 0 && !empty || int64(w.rows.rows+to-from) == maxGroups*int64(w.options.GroupRows) {
			break
		}
	}
	return to, nil
}

// size is about what the rows take.
func (p *pending) size(f *form) int { return 12*p.rows + 4*(len(p.values)+len(p.idx)) }

func (p *pending) add(f *form, b *Batch, from, to int) {
	p.rows += to - from
	if f.labels {
		p.labels = append(p.labels, b.Labels[from:to]...)
	}
	if f.weights {
		p.weights = append(p.weights, b.Weights[from:to]...)
	}
	if !f.sparse {
		p.values = joined(p.values, b.Values[from*b.Width:to*b.Width])
		return
	}
	base := len(p.values) - b.Ptr[from]
	for _, end := range b.Ptr[from+1 : to+1] {
		p.ends = append(p.ends, uint32(base+end))
	}
	p.idx = joined(p.idx, b.Idx[b.Ptr[from]:b.Ptr[to]])
	p.values = joined(p.values, b.Values[b.Ptr[from]:b.Ptr[to]])
}

// joined is append that doubles what there is room for: append itself adds a quarter, and copies all the more often.
func joined[T any](dst, values []T) []T {
	if len(dst)+len(values) > cap(dst) {
		dst = slices.Grow(dst, len(dst)+len(values))
	}
	return append(dst, values...)
}

func (p *pending) reset() {
	*p = pending{labels: p.labels[:0], weights: p.weights[:0], values: p.values[:0], ends: p.ends[:0], idx: p.idx[:0]}
}

// store begins to store the rows as a shard.
func (w *Writer) store() error {
	if err := w.wait(); err != nil {
		return err
	}
	p := &w.rows
	f := w.form
	average := max(1, p.size(&f)/p.rows)
	f.rows = max(1, min(w.options.GroupBytes/average, w.options.GroupRows), (p.rows+maxGroups-1)/maxGroups)
	h := header{form: f, total: int64(p.rows), groups: make([]entry, groupsOf(int64(p.rows), f.rows))}
	written := w.options.Schema.Hash()
	hash, err := hex.DecodeString(written)
	if err != nil {
		return err
	}
	h.schema = binary.BigEndian.Uint64(hash)
	if f.sparse {
		h.nonZeros = int64(len(p.values))
	}
	if err := w.encode(&h); err != nil {
		return err
	}
	head, sum := h.encode()
	copy(w.out, head)
	s := Shard{
		Key: fmt.Sprintf("%s%05d", w.attempt, len(w.shards)), Size: int64(len(w.out)), Rows: h.total, Group: f.rows,
		Sparse: f.sparse, NonZeros: h.nonZeros, Sum: sum, Hash: written,
	}
	w.shards = append(w.shards, s)
	w.storing = make(chan error, 1)
	go func() { w.storing <- w.bucket.Put(w.ctx, s.Key, bytes.NewReader(w.out)) }()
	p.reset()
	return nil
}

// wait waits until the last shard is stored.
func (w *Writer) wait() error {
	if w.storing == nil {
		return nil
	}
	err := <-w.storing
	w.storing = nil
	if err != nil {
		return fmt.Errorf("dataset: a shard could not be stored: %w", err)
	}
	return nil
}

// Close stores the rows that are left, and returns the shards in the order of their rows. It is needed in any case: it waits
// for what is being stored, also after an error, which it returns.
func (w *Writer) Close() ([]Shard, error) {
	if w.err == nil && w.rows.rows > 0 {
		w.err = w.store()
	}
	if err := w.wait(); w.err == nil {
		w.err = err
	}
	if w.err != nil {
		return nil, w.err
	}
	w.rows.reset()
	r := w.room
	w.room = room{}
	rooms.Put(&r)
	w.err = fmt.Errorf("dataset: the writer is closed: %w", fs.ErrClosed)
	return w.shards, nil
}
