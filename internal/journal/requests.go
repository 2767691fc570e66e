package journal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Request is one that needs no connection while it is at work, and may outlive its driver: another finds its reply.
type Request struct {
	ID    ID
	Until time.Time // the last moment at which its reply can come
	Taken bool      // the backend is known to have taken it; otherwise it may never have been sent
	Run   int       // the number of the run that sent it; kept by a Journal
	Tasks []ID      // their identities, in the request's order; the zero ID is none
	nth   int       // as they were read
}

// NewRequest returns a request of so many tasks, with an ID of its own. Its text begins with the mark of the journal's name.
func (j *Journal) NewRequest(tasks int) Request {
	r := Request{Tasks: make([]ID, tasks)}
	_, _ = rand.Read(r.ID[copy(r.ID[:], mark(j.prefix)):]) // it never fails
	return r
}

// Mark is what the IDs of all requests under a name begin with: what is kept of them elsewhere is found by it.
func Mark(name string) (string, error) {
	prefix, err := Prefix(name)
	return hex.EncodeToString(mark(prefix)), err
}

func mark(prefix string) []byte {
	sum := sha256.Sum256([]byte(prefix))
	return sum[:6]
}

// encode makes the data of an entry: the time in milliseconds, and the identities.
func (r *Request) encode() []byte {
	data := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(ID{})*len(r.Tasks)), uint64(r.Until.UnixMilli()))
	for _, id := range r.Tasks {
		data = append(data, id[:]...)
	}
	return data
}

func decodeRequest(id ID, data []byte) (*Request, error) {
	if len(data) < 8 || (len(data)-8)%len(ID{}) != 0 {
		return nil, fmt.Errorf("a request that is cut: %w", ErrCorrupt)
	}
	r := &Request{ID: id, Until: time.UnixMilli(int64(binary.LittleEndian.Uint64(data)))}
	for part := range slices.Chunk(data[8:], len(ID{})) {
		r.Tasks = append(r.Tasks, ID(part))
	}
	return r, nil
}

// Send keeps a request. It returns when that is written, so that the request can be sent, or why it is not known to be.
// Whatever comes of it, Over is to be called at last.
func (j *Journal) Send(ctx context.Context, r Request) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.wait(ctx, func() bool { return len(j.pending) <= maxPending }); err != nil {
		return err
	}
	j.outlive++
	j.flushing++ // it does not wait for others to gather; those that come while an object is written are the next one
	defer func() { j.flushing-- }()
	j.append(kindSent, r.ID, r.encode())
	want := j.recorded
	return j.wait(ctx, func() bool { return j.written >= want })
}

// Taken notes that a request was sent and taken.
func (j *Journal) Taken(id ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.append(kindTaken, id, nil)
}

// Over notes that nothing more comes of a request. Where this is kept, all is that was recorded before.
func (j *Journal) Over(id ID) {
	own := !j.sent.over(id)
	j.mu.Lock()
	defer j.mu.Unlock()
	if own {
		j.outlive--
	}
	j.append(kindOver, id, nil)
}

// Forgo notes that this run waits no more for a request. A later run may.
func (j *Journal) Forgo(id ID) { j.sent.over(id) }

// Adopt keeps a task's result that came of an earlier run's request. As those of earlier runs, it can be recalled.
func (j *Journal) Adopt(ctx context.Context, id ID, result []byte) error {
	if err := j.Record(ctx, id, result); err != nil {
		return err
	}
	if err := j.past.add(id, result); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Awaited returns the request from which a task's result may still come: of several that earlier runs have sent with it, the
// latest that is not over. It is nil where there is none.
func (j *Journal) Awaited(task ID) *Request { return j.sent.of(task) }

// Requests returns the requests of earlier runs that are not over, in no order.
func (j *Journal) Requests() []*Request {
	j.sent.mu.Lock()
	defer j.sent.mu.Unlock()
	return slices.Collect(maps.Values(j.sent.open))
}

// requests are those of earlier runs that are not over.
type requests struct {
	mu     sync.Mutex
	open   map[ID]*Request
	byTask map[ID][]*Request // as they were sent, once they are read
	read   int
}

func (r *requests) add(id ID, data []byte, run int) error {
	q, err := decodeRequest(id, data)
	if err != nil {
		return err
	}
	q.Run, q.nth = run, r.read
	r.read++
	if r.open == nil {
		r.open = map[ID]*Request{}
	}
	r.open[id] = q
	return nil
}

func (r *requests) take(id ID) {
	if q := r.open[id]; q != nil {
		q.Taken = true
	}
}

// over reports whether the request was among these.
func (r *requests) over(id ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, open := r.open[id]
	delete(r.open, id)
	return open
}

// index is the end of reading. Requests of whose tasks all results are kept are over.
func (r *requests) index(p *past) {
	r.byTask = map[ID][]*Request{}
	inOrder := slices.SortedFunc(maps.Values(r.open), func(a, b *Request) int { return a.nth - b.nth })
	for _, q := range inOrder {
		missing := slices.DeleteFunc(slices.Clone(q.Tasks), func(id ID) bool { _, kept := p.at[id]; return kept || id == ID{} })
		if len(missing) == 0 {
			delete(r.open, q.ID)
		}
		for _, id := range missing {
			r.byTask[id] = append(r.byTask[id], q)
		}
	}
}

func (r *requests) of(task ID) *Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range slices.Backward(r.byTask[task]) {
		if r.open[q.ID] != nil {
			return q
		}
	}
	return nil
}
