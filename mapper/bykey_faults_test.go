package mapper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

const faultKeys = 300

var (
	// faultEmit emits more than rides inline. Its input is the padding of values.
	faultEmit = mapper.Emit("fault-emit", func(_ context.Context, size int, emit func(int, []byte)) error {
		for i := range faultKeys {
			emit(i, bytes.Repeat([]byte{byte(i)}, size))
		}
		return nil
	})
	faultReduce = mapper.ReduceByKey("fault-reduce", func(_ context.Context, key int, values iter.Seq[[]byte]) (int, error) {
		n := 0
		for v := range values {
			n += len(v)
			if bytes.Count(v, []byte{byte(key)}) != len(v) {
				return 0, errors.New("a value is not the key's")
			}
		}
		return n, nil
	})
	// faultHasty makes something of the first value, and is content.
	faultHasty = mapper.ReduceByKey("fault-hasty", func(_ context.Context, _ int, values iter.Seq[[]byte]) (int, error) {
		for v := range values {
			return len(v), nil
		}
		return 0, nil
	})
)

// over returns an executor over tasks in this process and a bucket in memory that wrap makes worse. When the test has
// ended, nothing of its jobs may be in the bucket.
func over(t *testing.T, wrap func(storage.Bucket) storage.Bucket) *mapper.Executor {
	t.Helper()
	b := memstore.New()
	ex, err := mapper.New(t.Context(), inproc.New(3), wrap(b), mapper.Options{Partitions: 3, BatchSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		for _, key := range keys(context.WithoutCancel(t.Context()), t, b) {
			t.Errorf("%s stayed in the bucket", key)
		}
		memstore.Delete(b.Name())
	})
	return ex
}

func overFaults(t *testing.T, rules ...storagetest.Rule) *mapper.Executor {
	t.Helper()
	return over(t, func(b storage.Bucket) storage.Bucket { return storagetest.Faults(b, rules...) })
}

// shuffled are the objects that map tasks write.
const shuffled = "jobs/*/shuffle/*"

// TestByKeyFaults: faults that pass do not show, wherever they come.
func TestByKeyFaults(t *testing.T) {
	t.Parallel()
	lost := errors.New("the line was dead")
	for name, rules := range map[string][]storagetest.Rule{
		"none":            nil,
		"puts fail once":  {{Op: "put", Key: shuffled, Nth: 1, Before: lost}, {Op: "put", Key: shuffled, Nth: 4, Before: lost}},
		"replies lost":    {{Op: "put", Key: shuffled, Nth: 1, After: lost}, {Op: "put", Key: shuffled, Nth: 3, After: lost}},
		"gets fail once":  {{Op: "get", Key: shuffled, Every: 3, Before: lost}},
		"gets are cut":    {{Op: "get", Key: shuffled, Every: 2, Cut: lost, At: 70_000}},
		"all gets cut":    {{Op: "get", Key: shuffled, Cut: lost, At: 30_000}},
		"throttled":       {{Every: 4, Before: storage.ErrThrottled}},
		"the sweep fails": {{Op: "list", Nth: 1, Before: lost}, {Op: "delete", Nth: 1, After: lost}},
	} {
		for _, buffer := range []int{0, 100 << 10} { // without spilling, and with it
			t.Run(fmt.Sprint(name, "/", buffer), func(t *testing.T) {
				t.Parallel()
				ex := overFaults(t, rules...).With(mapper.Options{Buffer: buffer})
				got, err := mapper.MapReduceByKey(t.Context(), ex, faultEmit, faultReduce, []int{1000, 1001, 1002, 0})
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != faultKeys {
					t.Fatalf("%d pairs, want %d", len(got), faultKeys)
				}
				for i, p := range got {
					if p.Key != i || p.Value != 3003 {
						t.Fatalf("pair %d is %v", i, p)
					}
				}
			})
		}
	}
}

// TestByKeyFaultsStay: a fault that stays is an error that names the function and the object. Reducers that do not read
// to the end, and so do not see it, make no difference.
func TestByKeyFaultsStay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, function, step string
		kind, cause          error
		wrap                 func(storage.Bucket) storage.Bucket
	}{
		{"puts fail", "fault-emit", "shuffle/m", mapper.ErrResult, nil, always(storagetest.Rule{Op: "put", Before: errors.New("no room")})},
		{"replies lost", "fault-emit", "shuffle/m", mapper.ErrResult, nil, always(storagetest.Rule{Op: "put", After: errors.New("no word")})},
		{"gets fail", "", "shuffle/m", mapper.ErrInput, nil, always(storagetest.Rule{Op: "get", Before: errors.New("no way")})},
		{"gets are cut", "", "shuffle/m", mapper.ErrInput, nil, untagged(storagetest.Rule{Op: "get", Cut: errors.New("no more"), At: 80_000})},
		{"missing", "", "shuffle/m", mapper.ErrInput, nil, always(storagetest.Rule{Op: "get", Before: fs.ErrNotExist})},
		{"first byte flipped", "", `"m`, mapper.ErrInput, nil, spoil(func(b []byte) []byte { b[0] ^= 1; return b })},
		{"last byte flipped", "", `"m`, mapper.ErrInput, nil, spoil(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })},
		{"truncated", "", `"m`, mapper.ErrInput, nil, spoil(func(b []byte) []byte { return b[:len(b)-1] })},
		{"cut between blocks", "", `"m`, mapper.ErrInput, nil, spoil(func(b []byte) []byte { return b[:0] })},
	} {
		for _, r := range []struct {
			name   string
			reduce mapper.Reducer[int, []byte, int]
		}{{"fault-reduce", faultReduce}, {"fault-hasty", faultHasty}} {
			t.Run(c.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				ex := over(t, c.wrap).With(mapper.Options{Retries: 1})
				got, err := mapper.MapReduceByKey(t.Context(), ex, faultEmit, r.reduce, []int{1000, 1000})
				function := c.function
				if function == "" {
					function = r.name
				}
				mentions(t, err, "mapper: task ", " of "+function+" failed", c.step)
				var task *mapper.TaskError
				if !errors.As(err, &task) || task.Function != function || !errors.Is(err, c.kind) {
					t.Errorf("%v: it is none of %s and %v", err, function, c.kind)
				}
				if got != nil {
					t.Errorf("%d pairs beside an error", len(got))
				}
			})
		}
	}
}

func always(rule storagetest.Rule) func(storage.Bucket) storage.Bucket {
	rule.Key = shuffled
	return func(b storage.Bucket) storage.Bucket { return storagetest.Faults(b, rule) }
}

// untagged is always, where a get that was cut cannot go on, since nobody knows whether the object is the same.
func untagged(rule storagetest.Rule) func(storage.Bucket) storage.Bucket {
	return func(b storage.Bucket) storage.Bucket {
		return spoiled{always(rule)(b), func(b []byte) []byte { return b }}
	}
}

// spoil returns a bucket that changes what gets of shuffled objects return.
func spoil(change func([]byte) []byte) func(storage.Bucket) storage.Bucket {
	return func(b storage.Bucket) storage.Bucket { return spoiled{b, change} }
}

type spoiled struct {
	storage.Bucket
	change func([]byte) []byte
}

func (s spoiled) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r, err := s.Bucket.Get(ctx, key, off, n)
	if err != nil || !strings.Contains(key, "/shuffle/") {
		return r, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err == nil {
		data = s.change(data)
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{err})), nil
}

// failing is the end of a reader.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// TestByKeyLeavesNothing: a task whose object was stored although it was told otherwise, and which then needs none, leaves
// none behind.
func TestByKeyLeavesNothing(t *testing.T) {
	t.Parallel()
	ex := overFaults(t, storagetest.Rule{Op: "put", Key: shuffled, After: fs.ErrPermission})
	got, err := mapper.MapReduceByKey(t.Context(), ex, faultLess, faultReduce, []int{1000})
	if err != nil || len(got) != 1 {
		t.Errorf("%d pairs, %v", len(got), err)
	}
}

// faultLess emits much in its first attempt, and little in the second.
var faultLess = mapper.Emit("fault-less", func(ctx context.Context, size int, emit func(int, []byte)) error {
	emit(0, nil)
	if task, _ := mapper.CurrentTask(ctx); task.Attempt == 1 {
		for range faultKeys {
			emit(0, make([]byte, size))
		}
	}
	return nil
})
