package shuffle

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/gowren/gowren/storage"
)

// Merge yields the records of a task's segments in the order of the keys; those of equal keys in the order of the
// segments. It holds a block of each.
type Merge struct {
	streams []*stream
	// tree is a tournament: tree[0] is the stream with the least record, and tree[i] the loser of the match at node i,
	// whose players come from the nodes 2i and 2i+1; stream s enters below node (s+len(streams))/2.
	tree []int32
	err  error

	started bool

	key   []byte // of NextKey
	head  bool   // there is a record at hand
	first bool   // it is the key's first, and NextValue has not come to it
	over  bool   // it is the next key's
}

// fanIn is the number of segments that are merged at once: each takes a block of memory, and while it is read a connection.
const fanIn = 256

// opening is how many segments are opened at once.
const opening = 16

// NewMerge opens the segments. Where they are very many, it first merges some into objects of the folder, whose names
// begin with name. Close ends it.
func NewMerge(ctx context.Context, t *Task, b func(context.Context) (storage.Bucket, error), folder, name string) (*Merge, error) {
	for stored(t) > fanIn {
		var err error
		if t, err = narrow(ctx, t, b, folder, name); err != nil {
			return nil, err
		}
	}
	return open(ctx, t, b, folder)
}

// stored is how many segments lie in objects. The others are in memory already.
func stored(t *Task) int {
	n := 0
	for i := range t.Segments {
		if t.Segments[i].Name != "" {
			n++
		}
	}
	return n
}

func open(ctx context.Context, t *Task, b func(context.Context) (storage.Bucket, error), folder string) (*Merge, error) {
	m := &Merge{streams: make([]*stream, len(t.Segments)), tree: make([]int32, len(t.Segments))}
	errs := make([]error, len(m.streams))
	var wg sync.WaitGroup
	slots := make(chan struct{}, opening)
	for i := range m.streams {
		s := &stream{seg: &t.Segments[i], task: t}
		m.streams[i] = s
		if s.seg.Name == "" {
			errs[i] = s.open(ctx, b, folder)
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = s.open(ctx, b, folder)
			<-slots
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		m.Close()
		return nil, err
	}
	m.build()
	return m, nil
}

// narrow merges runs of neighbouring segments into one each.
func narrow(ctx context.Context, t *Task, b func(context.Context) (storage.Bucket, error), folder, prefix string) (*Task, error) {
	fewer := &Task{}
	for i := 0; i < len(t.Segments); i += fanIn {
		some := &Task{Segments: t.Segments[i:min(i+fanIn, len(t.Segments))], From: t.From, To: t.To}
		seg, err := join(ctx, some, b, folder, name(prefix))
		if err != nil {
			return nil, err
		}
		fewer.Segments = append(fewer.Segments, seg)
	}
	return fewer, nil
}

// join merges segments into an object.
func join(ctx context.Context, t *Task, b func(context.Context) (storage.Bucket, error), folder, name string) (Segment, error) {
	m, err := open(ctx, t, b, folder)
	if err != nil {
		return Segment{}, err
	}
	defer m.Close()
	bucket, err := b(ctx)
	if err != nil {
		return Segment{}, err
	}
	u := NewUpload(ctx, bucket, folder+"/"+name)
	w := newRunWriter(u, 0, 1, false)
	for m.Next() {
		if err := w.add(0, m.Key(), m.Value()); err != nil {
			u.Abort(err)
			return Segment{}, err
		}
	}
	if m.err != nil {
		u.Abort(m.err)
		return Segment{}, m.err
	}
	run, err := w.finish()
	if err != nil {
		u.Abort(err)
		return Segment{}, err
	}
	return Segment{Name: name, Size: run.Parts[0]}, u.Close()
}

// build plays the whole tournament.
func (m *Merge) build() {
	n := len(m.streams)
	if n == 0 {
		return
	}
	winners := make([]int32, 2*n)
	for i := range n {
		winners[n+i] = int32(i)
	}
	for i := n - 1; i > 0; i-- {
		a, b := winners[2*i], winners[2*i+1]
		if m.less(b, a) {
			a, b = b, a
		}
		winners[i], m.tree[i] = a, b
	}
	m.tree[0] = winners[1]
}

// less compares the records at hand. Streams without one come last.
func (m *Merge) less(a, b int32) bool {
	x, y := m.streams[a], m.streams[b]
	switch {
	case x.done || y.done:
		return y.done && (!x.done || a < b)
	case x.prefix != y.prefix:
		return x.prefix < y.prefix
	}
	if c := bytes.Compare(x.key, y.key); c != 0 {
		return c < 0
	}
	return a < b
}

// Next goes to the next record, and reports whether there is one.
func (m *Merge) Next() bool {
	if m.err != nil || len(m.streams) == 0 {
		return false
	}
	w := m.tree[0]
	if m.started {
		if m.streams[w].done { // the end was reached before
			return false
		}
		if m.err = m.streams[w].next(); m.err != nil {
			return false
		}
		for i := (int(w) + len(m.streams)) / 2; i > 0; i /= 2 {
			if m.less(m.tree[i], w) {
				m.tree[i], w = w, m.tree[i]
			}
		}
		m.tree[0] = w
	}
	m.started = true
	return !m.streams[w].done
}

// Key is that of the record at hand, until Next.
func (m *Merge) Key() []byte { return m.streams[m.tree[0]].key }

// Value is that of the record at hand, until Next.
func (m *Merge) Value() []byte { return m.streams[m.tree[0]].value }

// NextKey goes to the next key, past what NextValue left of the last one. A Merge is read by NextKey and NextValue, or by
// Next.
func (m *Merge) NextKey() bool {
	if !m.started {
		m.head, m.over = m.Next(), true
	}
	for m.NextValue() {
	}
	if !m.head {
		return false
	}
	m.key = append(m.key[:0], m.Key()...)
	m.first, m.over = true, false
	return true
}

// NextValue goes to the next value of the key that NextKey went to.
func (m *Merge) NextValue() bool {
	switch {
	case m.first:
		m.first = false
		return true
	case m.over || !m.head:
		return false
	}
	m.head = m.Next()
	m.over = !m.head || !bytes.Equal(m.Key(), m.key)
	return !m.over
}

// GroupKey is the key that NextKey went to.
func (m *Merge) GroupKey() []byte { return m.key }

// Err is why there was no next record, unless there was none.
func (m *Merge) Err() error { return m.err }

// Close ends the reading.
func (m *Merge) Close() {
	for _, s := range m.streams {
		if s != nil {
			s.close()
		}
	}
}
