package awslambda_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// The functions of the tests' jobs.
var (
	double = mapper.Func("awslambda/double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })
	fill   = mapper.Func("awslambda/fill", func(_ context.Context, n int) ([]byte, error) { return bytes.Repeat([]byte{7}, n), nil })
	linger = mapper.Func("awslambda/linger", func(ctx context.Context, dir string) (int, error) {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), nil, 0o600); err != nil {
			return 0, err
		}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	stay = mapper.Func("awslambda/stay", func(context.Context, int) (int, error) { select {} })
	// chatter prints so many bytes, which come with its reply.
	chatter = mapper.Func("awslambda/chatter", func(_ context.Context, n int) (int, error) {
		line := strings.Repeat("x", 4095) + "\n"
		for ; n > 0; n -= len(line) {
			fmt.Print(line)
		}
		return n, nil
	})
	length = mapper.Func("awslambda/length", func(_ context.Context, data []byte) (int, error) { return len(data), nil })
)

// open opens an executor. Its backend is closed with it.
func open(t testing.TB, b backends.Backend, bucket storage.Bucket, o mapper.Options) *mapper.Executor {
	t.Helper()
	o.Quiet = true
	ex, err := mapper.New(t.Context(), b, bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	})
	return ex
}

// wantDoubled runs a job and checks its results.
func wantDoubled(t testing.TB, ex *mapper.Executor, n int) {
	t.Helper()
	inputs := make([]int, n)
	for i := range inputs {
		inputs[i] = i
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := mapper.Map(ctx, ex, double, inputs)
	if err != nil {
		t.Error(err)
		return
	}
	for i, x := range got {
		if x != 2*i {
			t.Errorf("result %d is %d", i, x)
			return
		}
	}
}

// wantEmpty checks that a bucket holds nothing but programs, and what is in other folders that may stay.
func wantEmpty(t testing.TB, bucket storage.Bucket, others ...string) {
	t.Helper()
	for o, err := range bucket.List(context.WithoutCancel(t.Context()), "") {
		if err != nil {
			t.Fatal(err)
		}
		if dir := filepath.Dir(o.Key); dir != "programs" && !slices.Contains(others, dir) {
			t.Errorf("the bucket still has %s", o.Key)
		}
	}
}

// ways are the ways of a reply.
var ways = map[string]struct {
	plain    bool
	detached bool
}{"stream": {}, "plain": {plain: true}, "detached": {detached: true}}

// TestWays runs jobs with small and large values by each way of a reply, and cancels one.
func TestWays(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, EventLimit: 256 << 10})
	role := c.role(t)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := newBucket(t)
			b := c.backend(t, awslambda.Config{Role: role, Concurrency: 2, Plain: way.plain})
			ex := open(t, b, bucket, mapper.Options{Detached: way.detached})
			wantDoubled(t, ex, 20)
			sizes := []int{0, 1, 100_000, 127 << 10, 3 << 20}
			for range 50 { // whose replies fit into no answer when they are in one batch
				sizes = append(sizes, 126<<10)
			}
			filled, err := mapper.Map(t.Context(), ex.With(mapper.Options{BatchSize: len(sizes)}), fill, sizes)
			if err != nil {
				t.Fatal(err)
			}
			for i, data := range filled {
				if len(data) != sizes[i] || bytes.Count(data, []byte{7}) != sizes[i] {
					t.Errorf("result %d has %d bytes, not %d", i, len(data), sizes[i])
				}
			}
			inputs := make([][]byte, 6)
			for i := range inputs {
				inputs[i] = bytes.Repeat([]byte{byte(i)}, 60<<10*i)
			}
			lengths, err := mapper.Map(t.Context(), ex.With(mapper.Options{BatchSize: len(inputs)}), length, inputs)
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range lengths {
				if n != len(inputs[i]) {
					t.Errorf("input %d came with %d bytes, not %d", i, n, len(inputs[i]))
				}
			}
			wantEmpty(t, bucket)
			wantCancelled(t, ex)
			wantEmpty(t, bucket)
			wantDoubled(t, ex, 3)
		})
	}
}

// wantCancelled cancels a job whose task has begun.
func wantCancelled(t *testing.T, ex *mapper.Executor) {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := mapper.Call(ctx, ex, linger, dir)
		ended <- err
	}()
	await(t, "the task's beginning", func() bool {
		files, err := os.ReadDir(dir)
		return err == nil && len(files) > 0
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled job ends with %v", err)
	}
}

// TestFaults has the platform fail in each way that it knows, in the middle of jobs. They end well, and nothing stays.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]lambda.Faults{
		"throttled":         {ThrottleInvokes: 3},
		"reply lost":        {DropReply: 2},
		"reset":             {ResetStream: 2},
		"killed":            {Kill: 2},
		"killed in a reply": {KillLate: 2},
		"slow start":        {ColdStart: 700e6},
		"delivered twice":   {Duplicate: 2},
		"all":               {ThrottleInvokes: 1, DropReply: 1, ResetStream: 1, Kill: 1, Duplicate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, lambda.Options{RoleDelay: -1})
			role := c.role(t)
			for way, w := range ways {
				if w.detached && (f.Kill > 0 || f.KillLate > 0) {
					continue // nobody tells a driver of it: it would wait for the function's time limit
				}
				bucket := newBucket(t)
				b := c.backend(t, awslambda.Config{Role: role, Concurrency: 2, Plain: w.plain})
				ex := open(t, b, bucket, mapper.Options{Detached: w.detached, BatchSize: 3, Retries: 5})
				c.SetFaults(f)
				wantDoubled(t, ex, 12)
				c.SetFaults(lambda.Faults{})
				switch {
				case f.Duplicate > 0: // a copy may still be on its way
				case f.DropReply+f.ResetStream > 0:
					wantEmpty(t, bucket, "canceled") // what has ended before it looked there was told to stop in vain
				default:
					wantEmpty(t, bucket)
				}
				if t.Failed() {
					t.Fatalf("by the way %s", way)
				}
			}
		})
	}
}
