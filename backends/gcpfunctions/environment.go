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
	c.Poll = time.Duration(poll) * time.Millisecond
	return httpworker.Serve(ctx, w, c)
}

// environment is what serve reads.
func (c Config) environment(bucket string) map[string]string {
	return map[string]string{
		backends.BucketVariable: bucket, cpusVariable: strconv.Itoa(c.CPU), pollVariable: strconv.FormatInt(c.poll.Milliseconds(), 10),
		memoryVariable: strconv.Itoa(c.MemoryMB - overhead(c.MemoryMB)),
	}
}

// overhead is what of an instance's memory in MB a task cannot have: the supervisor, and the files in /tmp, which are the
// function's own program and those that were fetched.
func overhead(memory int) int { return max(memory/8, 96) }
