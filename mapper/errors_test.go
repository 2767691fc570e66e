package mapper_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fussy refuses to be decoded, or to be encoded.
type fussy string

func (f fussy) MarshalText() ([]byte, error) {
	if f == "stays" {
		return nil, errors.New("it will not go")
	}
	return []byte(f), nil
}

func (f *fussy) UnmarshalText(text []byte) error {
	if string(text) == "bounces" {
		return errors.New("it will not come")
	}
	*f = fussy(text)
	return nil
}

var (
	errorsDo = mapper.Func("errors-do", func(ctx context.Context, what fussy) (fussy, error) {
		switch what {
		case "error":
			return "", errors.New("no such user\nof that name")
		case "again":
			return "", mapper.Retryable(errors.New("not yet"))
		case "panic":
			panic(fmt.Errorf("a value of type %T", what))
		case "goexit":
			runtime.Goexit()
		case "exit":
			fmt.Fprintln(os.Stderr, "last words")
			os.Exit(3)
		case "late":
			<-ctx.Done()
			return "", context.Cause(ctx)
		case "return stays":
			return "stays", nil
		case "return bounces":
			return "bounces", nil
		}
		return what, nil
	})
	errorsLarge = mapper.Func("errors-large", func(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil })
	errorsSize  = mapper.Func("errors-size", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
)

// closedBucket cannot be written to, or read from.
type closedBucket struct {
	storage.Bucket
	op string
}

func (b closedBucket) Put(ctx context.Context, key string, data io.Reader) error {
	if b.op == "put" {
		return fmt.Errorf("put: %w", fs.ErrPermission)
	}
	return b.Bucket.Put(ctx, key, data)
}

func (b closedBucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if b.op == "get" {
		return nil, fmt.Errorf("get: %w", fs.ErrPermission)
	}
	return b.Bucket.Get(ctx, key, off, n)
}

// openClosed opens an executor whose bucket refuses an operation.
func openClosed(t *testing.T, op string) *mapper.Executor {
	t.Helper()
	bucket := memstore.New()
	ex, err := mapper.New(t.Context(), inproc.New(1), closedBucket{bucket, op}, mapper.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		memstore.Delete(bucket.Name())
	})
	return ex
}

// TestErrorTexts holds what users read when something fails, and what errors.Is finds in it.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	here, there := open(t, "inproc://?workers=1"), open(t, "local://?workers=1")
	short := mapper.Options{Timeout: 20 * time.Millisecond, Retries: -1}
	do := func(ex *mapper.Executor, what ...fussy) error {
		_, err := mapper.Map(t.Context(), ex, errorsDo, what)
		return err
	}
	large := func(ex *mapper.Executor) error {
		_, err := mapper.Call(t.Context(), ex, errorsLarge, 2<<20)
		return err
	}
	size := func(ex *mapper.Executor) error {
		_, err := mapper.Call(t.Context(), ex, errorsSize, make([]byte, 2<<20))
		return err
	}
	var text strings.Builder
	for _, c := range []struct {
		name string
		err  error
		kind error
	}{
		{"the function's error", do(here, "fine", "error"), mapper.ErrFunction},
		{"after attempts", do(here, "again"), mapper.ErrFunction},
		{"panic", do(here, "panic"), mapper.ErrPanic},
		{"runtime.Goexit", do(here, "goexit"), mapper.ErrPanic},
		{"time-out", do(here.With(short), "late"), mapper.ErrTimeout},
		{"exit", do(there, "exit"), mapper.ErrWorkerLost},
		{"input that cannot be encoded", do(here, "fine", "fine", "stays"), nil},
		{"input that cannot be decoded", do(here, "bounces"), mapper.ErrInput},
		{"input that cannot be stored", size(openClosed(t, "put")), fs.ErrPermission},
		{"input that cannot be read", size(openClosed(t, "get")), mapper.ErrInput},
		{"result that cannot be encoded", do(here, "return stays"), mapper.ErrResult},
		{"result that cannot be decoded", do(here, "return bounces"), mapper.ErrResult},
		{"result that cannot be stored", large(openClosed(t, "put")), mapper.ErrResult},
		{"result that cannot be read", large(openClosed(t, "get")), mapper.ErrResult},
		{"kinds", do(here.With(mapper.Options{ContinueOnError: true}), "error", "panic", "error"), mapper.ErrFunction},
		{"several", do(here.With(mapper.Options{ContinueOnError: true}), "error", "fine", "error"), mapper.ErrFunction},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if c.kind != nil && !errors.Is(c.err, c.kind) {
			t.Errorf("%s: %v is not %q", c.name, c.err, c.kind)
		}
		fmt.Fprintf(&text, "# %s\n%s\n\n", c.name, plain(c.err.Error()))
	}
	golden(t, "errors.golden", text.String())
}

var (
	jobName   = regexp.MustCompile(`\d{8}-\d{6}-[A-Z2-7]{10}`)
	outName   = regexp.MustCompile(`(out/\d+)-[0-9a-f]{16}`)
	goroutine = regexp.MustCompile(`goroutine \d+ `)
	literal   = regexp.MustCompile(`func\d+`)
)

// plain leaves out of an error what differs from run to run: names of jobs, and of a stack all but the user's functions.
func plain(text string) string {
	text = jobName.ReplaceAllString(text, "JOB")
	text = outName.ReplaceAllString(text, "$1-RANDOM")
	text = goroutine.ReplaceAllString(text, "goroutine N ")
	var b strings.Builder
	stack := false
	for line := range strings.Lines(text) {
		if stack && !strings.HasPrefix(line, "\t") {
			stack = false
		}
		if stack && (!strings.Contains(line, "mapper_test.") || strings.Contains(line, "created by")) {
			continue
		}
		if stack {
			line, _, _ = strings.Cut(literal.ReplaceAllString(line, "func"), "(")
			line += "(…)\n"
		}
		stack = stack || strings.HasPrefix(line, "\tgoroutine N ")
		b.WriteString(line)
	}
	return strings.TrimRight(b.String(), "\n")
}

// golden compares with a file below testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-update writes it anew:\n%s", diff)
	}
}
