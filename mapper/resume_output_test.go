package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

var (
	resumeTotal = mapper.ReduceByKey("resume-total", func(_ context.Context, _ string, values iter.Seq[int]) (int, error) {
		sum := 0
		for v := range values {
			sum += v
		}
		return sum, nil
	}).Combine(func(a, b int) int { return a + b })
	resumeCount = mapper.ReduceByKey("resume-count", func(_ context.Context, _ string, values iter.Seq[int]) (int, error) {
		n := 0
		for range values {
			n++
		}
		return n, nil
	})
	resumeLines = mapper.Emit("resume-lines", func(_ context.Context, in resumeInput, emit func(string, []byte)) error {
		ran(in.Test).Add(1)
		for i := range 2_000 {
			emit(fmt.Sprintf("%05d", (i*7919+in.N)%100_000), fmt.Appendf(nil, "%01999d\n", i))
		}
		return nil
	})
	resumeBytes = mapper.ReduceByKey("resume-bytes", func(_ context.Context, _ string, values iter.Seq[[]byte]) (int, error) {
		n := 0
		for v := range values {
			n += len(v)
		}
		return n, nil
	})
)

const lineBytes = 2_000 * 2_000

// whole checks that all is there that the manifest at place names, and returns its size.
func whole(t *testing.T, place string, b storage.Bucket) int64 {
	t.Helper()
	m, err := mapper.ReadManifest(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, p := range m.Parts {
		if o, err := b.Stat(t.Context(), p.Key); err != nil || o.Size != p.Size {
			t.Errorf("part %s has %d of %d bytes: %v", p.Key, o.Size, p.Size, err)
		}
		size += p.Size
	}
	return size
}

// again runs f on an executor of its own, as of a program that is run again.
func again(t *testing.T, b storage.Bucket, o mapper.Options, f func(ex *mapper.Executor)) {
	t.Helper()
	ex := resuming(t, b, o)
	f(ex)
	if err := ex.Close(); err != nil {
		t.Error(err)
	}
}

// TestResumeBeside: what others have below a folder with the name to resume stays.
func TestResumeBeside(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	place, out := toBucket(t)
	theirs := []string{"nightly/input.csv", "nightly/part-00000-ABCDEFGH"}
	for _, key := range theirs {
		if err := out.Put(t.Context(), key, strings.NewReader("theirs")); err != nil {
			t.Fatal(err)
		}
	}
	again(t, b, mapper.Options{Resume: "nightly"}, func(ex *mapper.Executor) {
		m, err := mapper.MapReduceByKeyTo(t.Context(), ex, resumeEmit, resumeTotal, resumeInputs(fresh("beside"), 3), place)
		if err != nil || !strings.HasPrefix(m.Job, "nightly-") {
			t.Errorf("job %q: %v", m.Job, err)
		}
	})
	left := keys(t.Context(), t, out)
	for _, key := range theirs {
		if !slices.Contains(left, key) {
			t.Errorf("%s is gone", key)
		}
	}
}

// TestResumeFinished: a result that is stored stays whatever runs again; the same job finds it, and no other takes its place.
func TestResumeFinished(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(o *mapper.Options, inputs []resumeInput, b storage.Bucket) []resumeInput
		want   error
	}{
		"nothing": {func(_ *mapper.Options, in []resumeInput, _ storage.Bucket) []resumeInput { return in }, nil},
		"workers": {func(o *mapper.Options, in []resumeInput, _ storage.Bucket) []resumeInput {
			o.Concurrency = 1
			return in
		}, nil},
		"partitions": {func(o *mapper.Options, in []resumeInput, _ storage.Bucket) []resumeInput {
			o.Partitions = 7
			return in
		}, fs.ErrExist},
		"one more": {func(_ *mapper.Options, in []resumeInput, _ storage.Bucket) []resumeInput {
			return append(in, resumeInput{Test: in[0].Test, N: 77})
		}, fs.ErrExist},
		"another": {func(_ *mapper.Options, in []resumeInput, _ storage.Bucket) []resumeInput {
			return append(in[:1:1], resumeInput{Test: in[0].Test, N: 77})
		}, fs.ErrExist},
		"forgotten": {func(_ *mapper.Options, in []resumeInput, b storage.Bucket) []resumeInput {
			if err := mapper.Forget(t.Context(), b, "it"); err != nil {
				t.Error(err)
			}
			return in
		}, fs.ErrExist},
	} {
		for _, kind := range []string{"sort", "by key"} {
			b := memstore.New()
			place, out := toBucket(t)
			inputs, o := resumeInputs(fresh("finished"), 2), mapper.Options{Resume: "it"}
			run := func() (m mapper.Manifest, err error) {
				again(t, b, o, func(ex *mapper.Executor) {
					if kind == "sort" {
						m, err = mapper.Sort(t.Context(), ex, resumeLines, inputs, place)
					} else {
						m, err = mapper.MapReduceByKeyTo(t.Context(), ex, resumeLines, resumeBytes, inputs, place)
					}
				})
				return m, err
			}
			first, err := run()
			if err != nil {
				t.Fatal(err)
			}
			size := whole(t, place, out)
			inputs = c.change(&o, inputs, b)
			ran := runsOf(inputs[0].Test)
			second, err := run()
			if (name == "one more" || name == "forgotten") && runsOf(inputs[0].Test) != ran {
				t.Errorf("%s, %s: tasks have run for a place that is taken", kind, name)
			}
			if !errors.Is(err, c.want) || err == nil && !slices.Equal(first.Parts, second.Parts) {
				t.Errorf("%s, %s: %v, %d parts and %d", kind, name, err, len(first.Parts), len(second.Parts))
			}
			if now := whole(t, place, out); now != size {
				t.Errorf("%s, %s: %d bytes became %d", kind, name, size, now)
			}
		}
	}
}

// TestResumeTogether: of drivers that run at once, one stores its result, and none destroys it.
func TestResumeTogether(t *testing.T) {
	t.Parallel()
	for range 5 {
		b := memstore.New()
		place, out := toBucket(t)
		inputs := resumeInputs(fresh("together"), 5)
		breaks.Store(inputs[0].Test, 4)
		again(t, b, mapper.Options{Resume: "it"}, func(ex *mapper.Executor) { // it has chosen the folder
			if _, err := mapper.MapReduceByKeyTo(t.Context(), ex, resumeEmit, resumeTotal, inputs, place); !errors.Is(err, mapper.ErrFunction) {
				t.Error(err)
			}
		})
		breaks.Delete(inputs[0].Test)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				ex := resuming(t, b, mapper.Options{Resume: "it"})
				if _, err := mapper.MapReduceByKeyTo(t.Context(), ex, resumeEmit, resumeTotal, inputs, place); err != nil && !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		whole(t, place, out)
	}
}

// TestResumeMended: with another reducer, the map tasks are kept where they do not depend on it, and the result is the
// right one.
func TestResumeMended(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	test := fresh("mended")
	inputs := resumeInputs(test, 5)
	for _, c := range []struct {
		reduce mapper.Reducer[string, int, int]
		want   int
		ran    int64
	}{
		{resumeTotal, 10, 5},
		{resumeCount, 5, 10}, // what was combined cannot be counted
		{resumeReduce, 10, 10},
		{resumeTotal, 10, 10},
	} {
		again(t, b, mapper.Options{Resume: "it"}, func(ex *mapper.Executor) {
			got, err := mapper.MapReduceByKey(t.Context(), ex, resumeEmit, c.reduce, inputs)
			if err != nil || len(got) != 50 || got[0].Value != c.want || ran(test).Load() != c.ran {
				t.Errorf("%v %v, want %d; %d map tasks ran, want %d", got, err, c.want, ran(test).Load(), c.ran)
			}
		})
	}

	b = memstore.New()
	place, out := toBucket(t)
	inputs = resumeInputs(fresh("mended"), 2)
	again(t, b, mapper.Options{Resume: "it"}, func(ex *mapper.Executor) {
		if _, err := mapper.MapReduceByKey(t.Context(), ex, resumeLines, resumeBytes, inputs); err != nil {
			t.Error(err)
		}
		if _, err := mapper.Sort(t.Context(), ex, resumeLines, inputs, place); err != nil {
			t.Error(err)
		}
	})
	if n := whole(t, place, out); n != 2*lineBytes {
		t.Errorf("%d bytes are sorted, want %d", n, 2*lineBytes)
	}
}

// TestResumeGone: a result is not recalled where its object has been deleted; it is computed anew.
func TestResumeGone(t *testing.T) {
	t.Parallel()
	delete := func(b storage.Bucket, part string) int {
		n := 0
		for _, key := range keys(t.Context(), t, b) {
			if strings.Contains(key, part) {
				n++
				if err := b.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		}
		return n
	}
	b := memstore.New()
	inputs := resumeInputs(fresh("gone"), 3)
	inputs[1].Size = 700_000
	for run := range 3 {
		again(t, b, mapper.Options{Resume: "it"}, func(ex *mapper.Executor) {
			got, err := mapper.MapReduce(t.Context(), ex, resumeWork, resumeSum, inputs)
			if err != nil || len(got) < 1_400_000 {
				t.Errorf("run %d: %d bytes, %v", run, len(got), err)
			}
		})
		if delete(b, "/data/out/") == 0 {
			t.Error("there was no large result")
		}
		inputs = append(inputs, resumeInput{Test: inputs[0].Test, N: 100 + run})
	}

	b = memstore.New()
	place, out := toBucket(t)
	test := fresh("gone")
	inputs = resumeInputs(test, 2)
	for run, ran := range []int{2, 2, 4} {
		again(t, b, mapper.Options{Resume: "it"}, func(ex *mapper.Executor) {
			if _, err := mapper.Sort(t.Context(), ex, resumeLines, inputs, place); err != nil {
				t.Errorf("run %d: %v", run, err)
			}
		})
		if n := whole(t, place, out); n != 2*lineBytes || runsOf(test) != ran {
			t.Errorf("run %d: %d bytes; %d map tasks ran, want %d", run, n, runsOf(test), ran)
		}
		delete(out, "")
		if run == 1 && delete(b, "/data/shuffle/") == 0 {
			t.Error("there was no object of a map task")
		}
	}
}

func runsOf(test string) int { return int(ran(test).Load()) }
