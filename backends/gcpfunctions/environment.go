package gcpfunctions

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
)

// roleName is the role of an instance's process. The source module names it too.
const roleName = "gcpfunctions"

// The variables that Prepare gives to instances.
const (
	cpusVariable   = "GOWREN_WORKER_CPUS"
	memoryVariable = "GOWREN_WORKER_MEMORY"
	pollVariable   = "GOWREN_WORKER_POLL"
)

// grace is how long work may go on when an instance is told to end: the platform kills it after 10 seconds.
const grace = 8 * time.Second

func init() { backends.RegisterRole(roleName, serve) }

// serve is an instance: a worker that serves HTTP behind the platform's own authentication, one invocation at a time.
func serve(ctx context.Context, w backends.Worker) error {
	c := httpworker.ServerConfig{Addr: net.JoinHostPort("", os.Getenv("PORT")), Platform: true, Slots: 1, Grace: grace}
	var poll int
	for name, field := range map[string]*int{cpusVariable: &c.CPUs, memoryVariable: &c.MemoryMB, pollVariable: &poll} {
		var err error
		if *field, err = strconv.Atoi(os.Getenv(name)); err != nil {
			return fmt.Errorf("%s: %s: %w", scheme, name, err)
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%s: %w", scheme, err)
	}
	own, err := os.Stat(self)
	if err != nil {
		return fmt.Errorf("%s: %w", scheme, err)
	}
	// Whatever it is, a call says what is wrong with it, which this process could tell nobody.
	c.MemoryMB, c.InMemory = max(left(c.MemoryMB, own.Size()), 1), true
	c.Poll = time.Duration(poll) * time.Millisecond
	return httpworker.Serve(ctx, w, c)
}

// environment is what serve reads.
func (c Config) environment(bucket string) map[string]string {
	return map[string]string{
		backends.BucketVariable: bucket, cpusVariable: strconv.Itoa(c.CPU), pollVariable: strconv.FormatInt(c.poll.Milliseconds(), 10),
		memoryVariable: strconv.Itoa(c.MemoryMB),
	}
}

// left is what an instance of so many MB has for its tasks and the programs that it fetches. The rest is the supervisor's,
// with what a task takes between two looks at it, and its executable's: files lie in memory.
func left(memoryMB int, executable int64) int {
	return memoryMB - max(memoryMB/16, 64) - int((executable+1<<20-1)>>20)
}
