package mapper_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// firstPut fails the first Put of a part of all buckets with the scheme "firstput".
var firstPut atomic.Int64

type failFirst struct{ storage.Bucket }

func (f failFirst) Put(ctx context.Context, key string, data io.Reader) error {
	if firstPut.Add(1) == 1 {
		return errors.New("the line was dead")
	}
	return f.Bucket.Put(ctx, key, data)
}

func init() {
	storage.Register("firstput", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := memstore.Open(u.Host)
		return named{failFirst{b}, "firstput://" + u.Host}, err
	})
	storage.Register("nolist", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := memstore.Open(u.Host)
		return named{storagetest.Faults(b, storagetest.Rule{Op: "list", Before: fs.ErrPermission}), "nolist://" + u.Host}, err
	})
}

// TestPartLostAmidWriting: a part that is longer than what is held back, and whose connection is lost, is written again by
// another attempt.
func TestPartLostAmidWriting(t *testing.T) {
	t.Cleanup(func() { memstore.Delete("lost-amid") })
	one := overFaults(t).With(mapper.Options{Partitions: 1})
	m, err := mapper.MapReduceByKeyTo(t.Context(), one, endEmit, endFirst, []string{"a"}, "firstput://lost-amid")
	if err != nil || firstPut.Load() != 2 || len(m.Parts) != 1 || m.Parts[0].Size != 400_000 {
		t.Errorf("%+v after %d puts: %v", m, firstPut.Load(), err)
	}
}

// TestCleanUpFails: a result that is stored is the result, even where what is beside it cannot be looked for; Close tells.
func TestCleanUpFails(t *testing.T) {
	t.Cleanup(func() { memstore.Delete("clean-up") })
	ex, err := mapper.New(t.Context(), inproc.New(1), memstore.New(), mapper.Options{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := mapper.MapReduceByKeyTo(t.Context(), ex, endEmit, endFirst, []string{"a"}, "nolist://clean-up"); err != nil || len(m.Parts) == 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if err := ex.Close(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "nolist://clean-up") {
		t.Errorf("Close: %v", err)
	}
}

var unreachable atomic.Int64

// readSome fails as a read from a store does that cannot be reached, the first time.
var readSome = mapper.Func("again-read", func(context.Context, int) (int, error) {
	if unreachable.Add(1) == 1 {
		return 0, &storage.Error{Op: "get", URL: "s3://far", Key: "k", Err: errors.New("connection reset")}
	}
	return 1, nil
})

// readBad fails for good.
var readBad = mapper.Func("again-bad", func(_ context.Context, op string) (int, error) {
	return 0, &storage.Error{Op: op, URL: "s3://far", Key: "k", Err: fs.ErrNotExist}
})

// TestStoreErrorsAgain: a function that passes on that a store could not be reached gets another attempt; one that was told
// that there is no such object, or that its content is bad, does not.
func TestStoreErrorsAgain(t *testing.T) {
	ex := overFaults(t)
	if n, err := mapper.Call(t.Context(), ex, readSome, 1); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	for _, op := range []string{"get", "read"} {
		_, err := mapper.Call(t.Context(), ex, readBad, op)
		if e, ok := errors.AsType[*mapper.TaskError](err); !ok || e.Attempts != 1 {
			t.Errorf("%s: %v", op, err)
		}
	}
}
