// Package supervisor is what a platform starts: it takes calls in, runs each in a child process of the program that the
// call names, and passes the child's reply on. A child that crashes, or is killed, costs the call and not the
// supervisor, and what is known of its end is part of the reply. The package also has the driver's end of a call.
//
// Programs are named by their SHA-256. The supervisor's own is at hand; any other is fetched once from the bucket that was
// fixed when it was deployed, and from no other.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/process"
	"github.com/gowren/gowren/internal/wire"
)

// Call is what a driver asks of a supervisor.
type Call struct {
	ID      string // of the invocation: by it the driver stops it
	Program string // SHA-256 of the program that is to serve it, in hex
	Bucket  string // the URL of the bucket that its tasks use
	Body    []byte // the request, one whole frame
}

// Config is fixed when a supervisor is deployed.
type Config struct {
	Name     string        // of this supervisor, in logs and errors
	Bucket   string        // the URL of the one bucket that programs come from and tasks use; empty is none
	Own      string        // SHA-256 of the running program, in hex
	Slots    int           // calls at once; defaults to 1
	CPUs     int           // that one child uses; 0 is all
	Memory   int64         // bytes of resident memory above which a child is killed; 0 is no limit
	InMemory bool          // files lie in memory: programs that are fetched take part of Memory, one at a time; for a single slot
	Wait     time.Duration // how long a call may wait for a slot
	Beat     time.Duration // how often a silent reply says that it lives; 0 is never
	Poll     time.Duration // how often a call looks whether its driver has cancelled it through the bucket; 0 is never
	Programs string        // the folder that fetched programs are kept in; defaults to one of its own in os.TempDir
	Log      func(worker, line string)
}

// Supervisor serves calls.
type Supervisor struct {
	config   Config
	pool     *process.Pool
	programs programs
	bucket   opener
	slots    chan struct{} // holds one for each call
	calls    sync.WaitGroup
}

// New makes a supervisor. It reaches nothing yet.
func New(c Config) *Supervisor {
	c.Slots = max(c.Slots, 1)
	s := &Supervisor{config: c, slots: make(chan struct{}, c.Slots)}
	s.bucket.url = c.Bucket
	s.programs = programs{own: c.Own, dir: c.Programs, keep: c.Slots + 2, bucket: s.bucket.get, have: map[string]*fetched{}}
	pool := process.PoolConfig{
		Name: c.Name, Places: c.Slots, CPUs: c.CPUs, Memory: c.Memory, Log: c.Log, Env: []string{backends.BucketVariable + "=" + c.Bucket},
	}
	if c.InMemory && c.Memory > 0 {
		s.programs.memory, pool.Taken = c.Memory, s.programs.size
	}
	s.pool = process.NewPool(pool)
	s.programs.clear = s.pool.Clear
	return s
}

// Name is the supervisor's name.
func (s *Supervisor) Name() string { return s.config.Name }

// Close ends the children, and deletes the programs that were fetched. Calls that are under way fail.
func (s *Supervisor) Close() error {
	err := s.pool.Close()
	s.calls.Wait()
	return errors.Join(err, s.programs.close(), s.bucket.close())
}

// DefaultName names a supervisor after the machine that it runs on.
func DefaultName(prefix string) string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return prefix
	}
	return prefix + "-" + host
}

// Begin takes a slot for a call. Its errors are of the classes of package backends; nothing of the call ran then. The
// reply must be passed on.
func (s *Supervisor) Begin(ctx context.Context, c Call) (*Relay, error) {
	if s.config.Bucket != c.Bucket {
		return nil, fmt.Errorf("%w: the request is for the bucket %q, and the worker %s was deployed for %q: open the executor with that one, or deploy workers for the other",
			backends.ErrInvalid, c.Bucket, s.config.Name, s.config.Bucket)
	}
	if _, err := wire.OpenRequest(c.Body); errors.Is(err, wire.ErrCorrupt) {
		return nil, err // the next attempt may come whole
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return &Relay{s: s, call: c, ctx: ctx, cancel: cancel, begun: time.Now(), leave: func() { cancel(nil); leave() }}, nil
}

// enter takes a slot, and waits for one as long as it may.
func (s *Supervisor) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.slots <- struct{}{}:
	default:
		timer := time.NewTimer(s.config.Wait)
		defer timer.Stop()
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timer.C:
			return nil, fmt.Errorf("%w: the worker %s serves %d calls, as many as it takes", backends.ErrThrottled, s.config.Name, s.config.Slots)
		}
	}
	s.calls.Add(1)
	return func() { <-s.slots; s.calls.Done() }, nil
}
