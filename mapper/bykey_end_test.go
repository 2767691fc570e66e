package mapper_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// ends are what waiting tasks call once they have begun, by name.
var ends sync.Map

// wait calls the function of that name and returns when the context ends.
func wait(ctx context.Context, name string) error {
	if end, ok := ends.Load(name); ok {
		end.(func())()
		<-ctx.Done()
	}
	return ctx.Err()
}

var (
	endEmit = mapper.Emit("end-emit", func(ctx context.Context, name string, emit func(int, []byte)) error {
		for i := range 400 {
			emit(i, make([]byte, 1000))
		}
		return wait(ctx, name+" map")
	})
	endReduce = mapper.ReduceByKey("end-reduce", func(ctx context.Context, key int, values iter.Seq[[]byte]) ([]byte, error) {
		for v := range values {
			if key == 200 {
				return nil, wait(ctx, "cancel reduce")
			}
			return v, nil
		}
		return nil, nil
	})
)

var endFirst = mapper.ReduceByKey("end-first", func(_ context.Context, _ int, values iter.Seq[[]byte]) ([]byte, error) {
	for v := range values {
		return v, nil
	}
	return nil, nil
})

// TestByKeyCancel: a job that is cancelled in either step leaves nothing, neither in its bucket nor where its result would
// be, and says so once.
func TestByKeyCancel(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"map", "reduce"} {
		ctx, cancel := context.WithCancel(t.Context())
		ends.Store("cancel "+step, func() { cancel() })
		defer ends.Delete("cancel " + step)
		place, b := toBucket(t)
		m, err := mapper.MapReduceByKeyTo(ctx, overFaults(t), endEmit, endReduce, []string{"other", "cancel", "other"}, place)
		if !errors.Is(err, context.Canceled) || m.Job != "" || strings.Count(err.Error(), "mapper: ") != 1 {
			t.Errorf("%s: %+v, %v", step, m, err)
		}
		if left := keys(t.Context(), t, b); len(left) > 0 {
			t.Errorf("%s: %q stay", step, left)
		}
		ends.Delete("cancel " + step)
	}
}

// rules are those of buckets with the scheme "faulty", by name. The buckets are the ones in memory of that name.
var rules = map[string][]storagetest.Rule{
	"lost-manifest":    {{Op: "putnew", Key: "manifest.json", After: fs.ErrPermission}},
	"refused-manifest": {{Op: "putnew", Key: "manifest.json", Before: fs.ErrPermission}},
	"manifest-unknown": {{Op: "putnew", After: fs.ErrPermission}, {Op: "get", Key: "manifest.json", Before: fs.ErrPermission}},
	"no-parts":         {{Op: "put", Before: errors.New("no room")}},
	"unknown":          {{Op: "stat", Before: fs.ErrPermission}},
	"missing":          {{Before: fs.ErrNotExist}},
}

func init() {
	storage.Register("faulty", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := memstore.Open(u.Host)
		if err != nil {
			return nil, err
		}
		return named{storagetest.Faults(b, rules[u.Host]...), "faulty://" + u.Host}, nil
	})
}

type named struct {
	storage.Bucket
	url string
}

func (n named) URL() string { return n.url }

// TestMissingOutput: a bucket that is not there is told of before anything is computed for it.
func TestMissingOutput(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ran atomic.Bool
	ends.Store("missing output map", func() { ran.Store(true); cancel() })
	defer ends.Delete("missing output map")
	_, err := mapper.MapReduceByKeyTo(ctx, overFaults(t), endEmit, endFirst, []string{"missing output"}, "faulty://missing")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "create the bucket") || strings.Contains(err.Error(), "stay") || ran.Load() {
		t.Errorf("ran: %v, error %v", ran.Load(), err)
	}
}

// TestManifestUnknown: where nobody can tell whether the manifest is stored, the parts that it may name stay.
func TestManifestUnknown(t *testing.T) {
	t.Parallel()
	b, err := memstore.Open("manifest-unknown")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { memstore.Delete("manifest-unknown") })
	_, err = mapper.MapReduceByKeyTo(t.Context(), overFaults(t), endEmit, endFirst, []string{"other"}, "faulty://manifest-unknown")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the parts stay") {
		t.Errorf("error %v", err)
	}
	m, err := mapper.ReadManifest(t.Context(), "mem://manifest-unknown")
	if err != nil || len(m.Parts) == 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	left := keys(t.Context(), t, b)
	for _, p := range m.Parts {
		if !slices.Contains(left, p.Key) {
			t.Errorf("%s is missing", p.Key)
		}
	}
}

// TestByKeyToFaults: a job has a result, all of it, or an error, and then there is nothing of it.
func TestByKeyToFaults(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"lost-manifest": true, "refused-manifest": false, "no-parts": false, "unknown": false} {
		b, err := memstore.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { memstore.Delete(name) })
		m, err := mapper.MapReduceByKeyTo(t.Context(), overFaults(t), endEmit, endFirst, []string{"other"}, "faulty://"+name)
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
		left := keys(t.Context(), t, b)
		if err != nil && len(left) > 0 {
			t.Errorf("%s: beside an error, %q stay", name, left)
		}
		if err == nil && (len(left) != len(m.Parts)+1 || len(m.Parts) == 0) {
			t.Errorf("%s: %q, where %+v is the manifest", name, left, m)
		}
		if err == nil {
			for _, p := range m.Parts {
				if !slices.Contains(left, p.Key) {
					t.Errorf("%s: %s is missing", name, p.Key)
				}
			}
		}
	}
}
