package awslambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

type outliveInput struct {
	Dir string
	N   int
}

// outlive leaves a file when it begins and one when it ends. From 4 on it waits for a word.
var outlive = mapper.Func("awslambda/outlive", func(ctx context.Context, in outliveInput) (string, error) {
	mark := func(kind string) error {
		f, err := os.CreateTemp(in.Dir, fmt.Sprint(kind, "-", in.N, "-"))
		if err != nil {
			return err
		}
		return f.Close()
	}
	if err := mark("begun"); err != nil {
		return "", err
	}
	for in.N >= 4 {
		if _, err := os.Stat(filepath.Join(in.Dir, "go")); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), mark("cancelled"))
		case <-time.After(5 * time.Millisecond):
		}
	}
	return outliveResult(in.N), mark("ran")
})

// outliveResult is large for some, and then travels through the bucket.
func outliveResult(n int) string {
	if n == 1 || n == 5 {
		return strings.Repeat("large", 300_000)
	}
	return fmt.Sprint("result ", n)
}

const (
	outliveVariable = "GOWREN_TEST_OUTLIVE" // makes this test binary the driver that TestOutlived kills
	outliveTasks    = 14
)

// outliveOrder is what a driver is told.
type outliveOrder struct {
	Endpoint, Region, Access, Secret, Session, Role, Tag, Bucket, Dir string
}

func (o outliveOrder) config() awslambda.Config {
	return awslambda.Config{
		AWS:  &aws.Config{Region: o.Region, BaseEndpoint: &o.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(o.Access, o.Secret, o.Session)},
		Role: o.Role, Concurrency: 3, MemoryMB: 1024, Tags: map[string]string{"test": o.Tag},
	}
}

func (o outliveOrder) inputs() []outliveInput {
	inputs := make([]outliveInput, outliveTasks)
	for i := range inputs {
		inputs[i] = outliveInput{o.Dir, i}
	}
	return inputs
}

// beOutlived makes this process a driver where it was started as one.
func beOutlived() {
	var o outliveOrder
	if json.Unmarshal([]byte(os.Getenv(outliveVariable)), &o) != nil {
		return
	}
	mapper.Main()
	check(func() error {
		ctx := context.Background()
		bucket, err := storage.Open(ctx, o.Bucket)
		if err != nil {
			return err
		}
		b, err := awslambda.New(o.config())
		if err != nil {
			return err
		}
		ex, err := mapper.New(ctx, b, bucket, mapper.Options{Resume: "it", Detached: true, BatchSize: 2, Speculation: -1, Quiet: true})
		if err != nil {
			return err
		}
		results, err := mapper.Map(ctx, ex, outlive, o.inputs())
		if err = errors.Join(err, ex.Close()); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(o.Dir, "output"), []byte(strings.Join(results, "\n")), 0o600)
	}())
	os.Exit(0)
}

// TestOutlived kills a driver while its detached functions work, and the one that resumes its job, too. The next ends with
// the results of those functions, and runs nothing again.
func TestOutlived(t *testing.T) {
	t.Parallel()
	_, bucket, o := toOutlive(t)
	dir := o.Dir
	for run := range 3 {
		d := startOutlived(t, o)
		switch run {
		case 0: // 4, 6 and 8 are at work, and known to be
			await(t, "the first run's tasks", func() bool { return d.marks("begun") == 4+3 && taken(t, bucket, 3) })
		case 1: // those keep none of its places: others go on, in batches that depend on how fast tasks were fed
			await(t, "a resumed run's tasks", func() bool {
				n, all := atWork(t, bucket, 3+3)
				return all && n >= 3+2 && d.marks("begun") == 4+n
			})
		default:
			await(t, "the last run's beginning", func() bool { return d.says("requests of theirs") })
		}
		if run < 2 {
			d.kill()
			lapse(t, bucket)
			continue
		}
		check(os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
		if err := <-d.ended; err != nil {
			t.Fatalf("%v: %s", err, d.said())
		}
	}
	var want []string
	for n := range outliveTasks {
		want = append(want, outliveResult(n))
		if files, err := filepath.Glob(filepath.Join(dir, fmt.Sprint("ran-", n, "-*"))); len(files) != 1 || err != nil {
			t.Errorf("task %d ran %d times, %v", n, len(files), err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "output")); err != nil || string(got) != strings.Join(want, "\n") {
		t.Errorf("the output has %d bytes and ends with %q, %v", len(got), got[max(0, len(got)-100):], err)
	}
	if err := mapper.Forget(t.Context(), bucket, "it"); err != nil {
		t.Error(err)
	}
	wantEmpty(t, bucket)
}

// toOutlive prepares what a driver needs that is to be killed.
func toOutlive(t *testing.T) (*awslambda.Backend, storage.Bucket, outliveOrder) {
	t.Helper()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	bucket, role := newBucket(t), c.role(t)
	b := c.backend(t, awslambda.Config{Role: role, Concurrency: 3}) // it removes the function at the end
	prepare(t, b, bucket)
	return b, bucket, outliveOrder{
		c.Endpoint, c.Region, c.Credentials.AccessKey, c.Credentials.SecretKey, c.Credentials.SessionToken, role, t.Name(), bucket.URL(), t.TempDir(),
	}
}

// attaching counts the requests of an earlier driver that are waited for.
type attaching struct {
	*awslambda.Backend
	n *atomic.Int64
}

func (a attaching) Prepare(context.Context, backends.Deployment) error { return nil }
func (a attaching) Close() error                                       { return nil }

func (a attaching) Attach(ctx context.Context, x backends.Attached) (io.ReadCloser, error) {
	if !x.Once {
		a.n.Add(1)
	}
	return a.Backend.Attach(ctx, x)
}

// TestOutlivedEnds cancels a job that waits for the functions of a driver that was killed. They are told to stop, and the
// next run does not wait for them.
func TestOutlivedEnds(t *testing.T) {
	t.Parallel()
	b, bucket, o := toOutlive(t)
	d := startOutlived(t, o)
	await(t, "the first run's tasks", func() bool { return d.marks("begun") == 4+3 && taken(t, bucket, 3) })
	d.kill()
	lapse(t, bucket)
	var attached atomic.Int64
	resume := func(ctx context.Context) error {
		ex, err := mapper.New(t.Context(), attaching{Backend: b, n: &attached}, bucket, mapper.Options{Resume: "it", Detached: true, Speculation: -1, Quiet: true})
		if err != nil {
			return err
		}
		_, err = mapper.Map(ctx, ex, outlive, o.inputs())
		return errors.Join(err, ex.Close())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- resume(ctx) }()
	await(t, "three requests to be waited for", func() bool { return attached.Load() == 3 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	await(t, "the functions to stop", func() bool {
		files, err := filepath.Glob(filepath.Join(o.Dir, "cancelled-*"))
		return err == nil && len(files) == 3
	})
	check(os.WriteFile(filepath.Join(o.Dir, "go"), nil, 0o600))
	if err := resume(t.Context()); err != nil {
		t.Error(err)
	}
	if n := attached.Load(); n != 3 {
		t.Errorf("%d requests were waited for in all", n)
	}
}

// TestAttachLate: a reply that can no longer come is a lost worker.
func TestAttachLate(t *testing.T) {
	t.Parallel()
	b, bucket, _ := toOutlive(t)
	reply, err := b.Attach(t.Context(), backends.Attached{ID: "never", Prefix: "resume/it/data", Until: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(reply)
	if lost := new(backends.LostError); !errors.As(err, &lost) {
		t.Error(err)
	}
	if err := errors.Join(reply.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	for o, err := range bucket.List(t.Context(), "canceled/") { // of what nobody is left to hear
		t.Error(o.Key, err)
	}
}

// outlived is a driver that runs.
type outlived struct {
	t     *testing.T
	dir   string
	cmd   *exec.Cmd
	log   string // the file that it writes to
	ended chan error
}

func startOutlived(t *testing.T, o outliveOrder) *outlived {
	t.Helper()
	order, err := json.Marshal(o)
	check(err)
	path, err := os.Executable()
	check(err)
	log, err := os.CreateTemp(t.TempDir(), "driver")
	check(err)
	defer log.Close()
	d := &outlived{t: t, dir: o.Dir, log: log.Name(), cmd: exec.CommandContext(t.Context(), path), ended: make(chan error, 1)}
	d.cmd.Env = append(os.Environ(), outliveVariable+"="+string(order))
	d.cmd.Stderr, d.cmd.Stdout = log, io.Discard
	check(d.cmd.Start())
	go func() { d.ended <- d.cmd.Wait() }()
	return d
}

func (d *outlived) kill() {
	d.t.Helper()
	if err := d.cmd.Process.Kill(); err != nil {
		d.t.Fatalf("the driver is no longer there: %v: %s", err, d.said())
	}
	if err := <-d.ended; err == nil {
		d.t.Fatal("the driver has ended by itself")
	}
}

func (d *outlived) said() string {
	text, err := os.ReadFile(d.log)
	check(err)
	return string(text)
}

func (d *outlived) says(text string) bool {
	select {
	case err := <-d.ended:
		d.t.Fatalf("the driver has ended: %v: %s", err, d.said())
	default:
	}
	return strings.Contains(d.said(), text)
}

// marks counts the files of a kind.
func (d *outlived) marks(kind string) int {
	d.says("")
	files, err := filepath.Glob(filepath.Join(d.dir, kind+"-*"))
	check(err)
	return len(files)
}

// lapse ends the leases of drivers, as time does.
func lapse(t *testing.T, b storage.Bucket) {
	t.Helper()
	for o, err := range b.List(t.Context(), "resume/it/") {
		check(err)
		if strings.HasSuffix(o.Key, "/lease") {
			check(b.Delete(t.Context(), o.Key))
		}
	}
}

// atWork returns how many requests are not over, and whether no other can be sent: all are known to be taken, and they have
// all places, or all tasks that are not done.
func atWork(t *testing.T, b storage.Bucket, places int) (n int, all bool) {
	t.Helper()
	j, err := journal.Open(t.Context(), b, "it", journal.Run{})
	check(err)
	defer j.Close()
	tasks := j.Kept()
	for _, r := range j.Requests() {
		if !r.Taken {
			return 0, false
		}
		tasks += len(r.Tasks)
	}
	n = len(j.Requests())
	return n, n == places || tasks == outliveTasks
}

// taken reports whether it is kept that so many requests are at work.
func taken(t *testing.T, b storage.Bucket, n int) bool {
	t.Helper()
	j, err := journal.Open(t.Context(), b, "it", journal.Run{})
	check(err)
	defer j.Close()
	for _, r := range j.Requests() {
		if r.Taken {
			n--
		}
	}
	return n == 0 && len(j.Requests()) > 0
}
