package awslambda

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/storage"
	_ "github.com/gowren/gowren/storage/s3store" // workers on Lambda have their bucket there
)

func init() {
	backends.Register("awslambda", func(_ context.Context, u *url.URL) (backends.Backend, error) {
		c, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(c)
	})
}

// Backend implements [backends.Backend], [backends.Attacher], [backends.Warmer], [backends.Destroyer], [backends.Enlarger] and
// [backends.Checker].
type Backend struct {
	config Config
	limits backends.Limits
	pack   func(*program.Executable) ([]byte, error) // makes the archive of a function

	aside supervisor.Aside
	looks supervisor.Looks

	mu  sync.Mutex
	aws *clients // made at the first use

	latest *prepared          // nil before the first Prepare
	gates  []*supervisor.Gate // of all; invocations of an earlier one may still be under way
}

// prepared is what a Prepare has made ready. Invocations keep the one that they began with: a later Prepare makes another.
type prepared struct {
	aws      *clients
	gate     *supervisor.Gate
	bucket   storage.Bucket
	function string // its name
	program  string // SHA-256 of the one that requests are for

	events     sync.Mutex
	configured bool // asynchronous invocations are
}

// New returns a backend. It reaches nothing yet.
func New(c Config) (*Backend, error) {
	if err := c.settle(); err != nil {
		return nil, err
	}
	b := &Backend{config: c, pack: archive, looks: make(supervisor.Looks, looksAtOnce)}
	gb := float64(c.MemoryMB) / 1024
	b.limits = backends.Limits{
		MaxRequest: maxRequest, MaxInline: streamInline, MaxReply: maxReply, MaxDuration: c.Timeout - margin(c.Timeout),
		CPUs: c.cpus(), Isolates: true, Remote: true, Cancels: true, Detaches: true, Streams: !c.Plain,
		PricePerSecond: 0.0000166667 * gb, PricePerRequest: 0.0000002,
	}
	if c.Arch == "arm64" {
		b.limits.PricePerSecond = 0.0000133334 * gb
	}
	if c.Plain {
		b.limits.MaxInline = plainInline
	}
	return b, nil
}

// The sizes of one value above which the bucket is the better way, in bytes. A plain reply has 6 MB for all of a batch.
const (
	streamInline = 1 << 20
	plainInline  = 128 << 10
)

// maxReply is the size of all values of a reply above which the bucket is the better way, in bytes: Lambda streams the first
// 6 MB quickly and what follows at 2 MB/s, and a plain reply may have inlineReply. Frames and printed lines take the rest.
const maxReply = inlineReply - 256<<10

// margin is what of an invocation's time is left to stop its child, and to tell that its time is over.
func margin(timeout time.Duration) time.Duration {
	return min(max(timeout/20, time.Second), 3*time.Second, timeout/2)
}

// platform is what programs must be for.
func (b *Backend) platform() program.Platform {
	return program.Platform{OS: "linux", Arch: b.config.Arch}
}

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limits
}

// prepare is the end of Prepare: n invocations may run at once.
func (b *Backend) prepare(p *prepared, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.latest == nil || b.limits.Concurrency != n {
		b.gates = append(b.gates, supervisor.NewGate("awslambda", n))
	}
	b.limits.Concurrency, p.gate = n, b.gates[len(b.gates)-1]
	b.latest = p
}

// ready returns what the last Prepare has made ready.
func (b *Backend) ready() (*prepared, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.latest == nil {
		return nil, invalid("the backend was not prepared")
	}
	return b.latest, nil
}

// Close implements [backends.Backend]. Invocations under way are told to stop. The function stays.
func (b *Backend) Close() error {
	b.mu.Lock()
	gates, c := b.gates, b.aws
	b.mu.Unlock()
	for _, gate := range gates {
		gate.Close()
	}
	b.aside.Close()
	if c != nil {
		c.close()
	}
	return nil
}
