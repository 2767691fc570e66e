package worker

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/gowren/gowren/internal/times"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

// told is how many of the slowest tasks a reply tells of.
const told = 3

// took is how long a slot's tasks of a request took. The slot's lock guards it, since a task that is given up may end while the
// reply is made; no other request is served by its run then.
type took struct {
	times   times.Histogram
	slowest []wire.Slow
}

func (s *slot) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.took.times.N() > 0 {
		s.took.times = times.Histogram{}
		s.took.slowest = s.took.slowest[:0]
	}
}

func (t *took) note(position int, d time.Duration) {
	t.times.Add(d)
	t.slowest = slowest(t.slowest, wire.Slow{Position: position, Took: d})
}

// slowest adds a task to the slowest of others.
func slowest(all []wire.Slow, x wire.Slow) []wire.Slow {
	if len(all) == told && x.Took <= all[told-1].Took {
		return all
	}
	all = append(all, x)
	slices.SortStableFunc(all, func(a, b wire.Slow) int { return cmp.Compare(b.Took, a.Took) })
	return all[:min(len(all), told)]
}

// tell adds what a slot's tasks took.
func (s *slot) tell(e *wire.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Times.Merge(&s.took.times)
	for _, x := range s.took.slowest {
		e.Slowest = slowest(e.Slowest, x)
	}
}

// usage is what the worker's process has used up to its last reply.
type usage struct {
	mu     sync.Mutex
	name   string
	served int
	cpu    time.Duration
	store  storage.Stats
	most   int64     // memory
	looked time.Time // when
}

// peak returns the most memory that the process has had, as of a second ago at most: a look costs some 20 µs.
func (u *usage) peak() int64 {
	if now := time.Now(); now.Sub(u.looked) > time.Second {
		u.most, u.looked = peakMemory(), now
	}
	return u.most
}

// tell adds what the process has used since its last reply. Where it serves several requests at once, each tells of a part.
func (w *Worker) tell(e *wire.End) {
	u := &w.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.name == "" {
		u.name = rand.Text()[:12]
	}
	e.Worker, e.Before = u.name, u.served
	u.served++
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err == nil {
		cpu := time.Duration(r.Utime.Nano() + r.Stime.Nano())
		e.CPU, u.cpu = max(cpu-u.cpu, 0), cpu
	}
	e.Peak = u.peak()
	store := w.asked()
	e.Store = storeCounts(store.Sub(u.store))
	u.store = store
}

// storeCounts are s in the order of a reply.
func storeCounts(s storage.Stats) (counts [8]int64) {
	n := copy(counts[:], s.Requests[:])
	counts[n], counts[n+1], counts[n+2] = s.Retries, s.Sent, s.Received
	return counts
}
