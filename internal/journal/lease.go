package journal

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"
)

// A run whose requests outlive it renews a lease while there are any: an object beside its others, of which the store knows
// when it was written. What a run has sent whose lease has not lapsed is not for others to end.
const (
	renewal = 10 * time.Second
	// Lapse is how long a lease holds. A run that has one for longer after a look was there after it.
	Lapse = 3 * renewal
)

type lease struct {
	j    *Journal
	last time.Time // when it was renewed; zero before
}

func (j *Journal) leaseKey(n int, r Run) string { return j.folder(n, r) + "/lease" }

// renewing gathers entries, and renews the lease meanwhile, once the run is claimed.
func (l *lease) renewing(ctx context.Context, claimed bool) (entries []byte, upTo int, err error) {
	if !claimed {
		entries, upTo, _ = l.j.gather(nil)
		return entries, upTo, nil
	}
	for {
		timer := time.NewTimer(renewal)
		entries, upTo, more := l.j.gather(timer.C)
		timer.Stop()
		if entries != nil || !more {
			return entries, upTo, nil
		}
		if err := l.renew(ctx); err != nil {
			return nil, 0, err
		}
	}
}

// renew writes the lease where it is due.
func (l *lease) renew(ctx context.Context) error {
	j := l.j
	j.mu.Lock()
	due := j.outlive > 0 && time.Since(l.last) >= renewal
	j.mu.Unlock()
	if !due {
		return nil
	}
	l.last = time.Now()
	return j.b.Put(ctx, j.leaseKey(j.number, j.own), strings.NewReader(""))
}

// end gives the lease up.
func (l *lease) end(ctx context.Context) error {
	if l.last.IsZero() {
		return nil
	}
	return l.j.b.Delete(ctx, l.j.leaseKey(l.j.number, l.j.own))
}

// Alive reports whether the driver that sent an earlier run's request is still at work, as far as is known: it has said so in
// the last 30 s, by this machine's clock and the store's.
func (j *Journal) Alive(ctx context.Context, q *Request) bool {
	o, err := j.b.Stat(ctx, j.leaseKey(q.Run, j.runs[q.Run-1]))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return time.Since(o.Modified) < Lapse
}
