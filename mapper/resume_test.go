package mapper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// runs counts the calls of the functions below, by their input's first part.
var runs sync.Map // of *atomic.Int64

func ran(test string) *atomic.Int64 {
	n, _ := runs.LoadOrStore(test, new(atomic.Int64))
	return n.(*atomic.Int64)
}

var tests atomic.Int64

// fresh makes a test's name one of its own, also where it runs several times.
func fresh(test string) string { return fmt.Sprint(test, " ", tests.Add(1)) }

// breaks are the tests whose jobs break off, at an input.
var breaks sync.Map

type resumeInput struct {
	Test string
	N    int
	Size int // of the result
}

var (
	resumeWork = mapper.Func("resume-work", func(_ context.Context, in resumeInput) (string, error) {
		if at, ok := breaks.Load(in.Test); ok && in.N == at {
			return "", errors.New("it breaks off")
		}
		ran(in.Test).Add(1)
		return strings.Repeat(fmt.Sprint(in.N, " "), max(in.Size, 1)), nil
	})
	resumeSum  = mapper.Combine("resume-sum", func(_ context.Context, a, b string) (string, error) { return a + b, nil })
	resumeEmit = mapper.Emit("resume-emit", func(_ context.Context, in resumeInput, emit func(string, int)) error {
		if at, ok := breaks.Load(in.Test); ok && in.N == at {
			return errors.New("it breaks off")
		}
		ran(in.Test).Add(1)
		for i := range 50 {
			emit(fmt.Sprint("key", i), in.N)
		}
		return nil
	})
	resumeReduce = mapper.ReduceByKey("resume-reduce", func(_ context.Context, key string, values iter.Seq[int]) (int, error) {
		sum := 0
		for v := range values {
			sum += v
		}
		if at, ok := breaks.Load("reduce"); ok && key == at {
			return 0, errors.New("it breaks off")
		}
		return sum, nil
	})
)

// resuming returns an executor over the bucket, as of a program that is run again.
func resuming(t *testing.T, b storage.Bucket, o mapper.Options) *mapper.Executor {
	t.Helper()
	ex, err := mapper.New(t.Context(), inproc.New(3), b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	return ex
}

func resumeInputs(test string, n int) []resumeInput {
	inputs := make([]resumeInput, n)
	for i := range inputs {
		inputs[i] = resumeInput{Test: test, N: i}
	}
	return inputs
}

// TestResume: a job that broke off goes on where it was, whatever is in one batch, and where inputs have come and gone.
func TestResume(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 1, "large": 400_000} {
		b := memstore.New()
		test := fresh("resume " + name)
		inputs := resumeInputs(test, 100)
		inputs[40].Size, inputs[41].Size = size, size
		breaks.Store(test, 60)
		o := mapper.Options{Resume: "it", BatchSize: 1, Concurrency: 1}
		got, err := mapper.Map(t.Context(), resuming(t, b, o), resumeWork, inputs)
		if got != nil || !errors.Is(err, mapper.ErrFunction) {
			t.Fatalf("%d, %v", len(got), err)
		}
		n := ran(test)
		if n.Load() != 60 {
			t.Fatalf("%d tasks ran", n.Load())
		}
		breaks.Delete(test)
		inputs = append(inputs[1:], resumeInput{Test: test, N: 1000}, inputs[50]) // one twice
		o.BatchSize, o.Concurrency = 7, 0
		ex := resuming(t, b, o)
		job, err := mapper.Start(t.Context(), ex, resumeWork, mapper.Inputs(slices.Values(inputs)))
		if err != nil {
			t.Fatal(err)
		}
		results := make([]string, len(inputs))
		for r, err := range job.Results() {
			if err != nil {
				t.Fatal(err)
			}
			results[r.Index] = r.Value
		}
		for i, r := range results {
			if r != strings.Repeat(fmt.Sprint(inputs[i].N, " "), max(inputs[i].Size, 1)) {
				t.Errorf("result %d is %.20q", i, r)
			}
		}
		if s := job.Stats(); n.Load() != 60+40+2 || s.Resumed != 59 || s.Done != int64(len(inputs)) {
			t.Errorf("%d tasks ran in all; %+v", n.Load(), s)
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		if err := mapper.Forget(t.Context(), b, "it"); err != nil {
			t.Error(err)
		}
		if left := keys(t.Context(), t, b); len(left) > 0 {
			t.Errorf("%q stay", left)
		}
	}
}

// TestResumeReduce: all steps of a job are resumed.
func TestResumeReduce(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	test := fresh("resume reduce")
	inputs := resumeInputs(test, 50)
	for i := range inputs {
		inputs[i].Size = 10_000 // too much, together, for a request
	}
	var first string
	for run := range 2 {
		ex := resuming(t, b, mapper.Options{Resume: "it"})
		got, err := mapper.MapReduce(t.Context(), ex, resumeWork, resumeSum, inputs)
		if run == 0 {
			first = got
		}
		if err != nil || got != first {
			t.Errorf("run %d: %d bytes, %v", run, len(got), err)
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := ran(test).Load(); n != 50 {
		t.Errorf("%d tasks ran", n)
	}
}

// TestResumeByKey: so is one by key, with other workers; and what it has written stays where it broke off.
func TestResumeByKey(t *testing.T) {
	breaks.Store("reduce", "key7")
	b := memstore.New()
	place, out := toBucket(t)
	test := fresh("resume by key")
	inputs := resumeInputs(test, 20)
	o := mapper.Options{Resume: "it"}
	if _, err := mapper.MapReduceByKeyTo(t.Context(), resuming(t, b, o), resumeEmit, resumeReduce, inputs, place); !errors.Is(err, mapper.ErrFunction) {
		t.Fatal(err)
	}
	if n := ran(test).Load(); n != 20 {
		t.Errorf("%d map tasks ran", n)
	}
	breaks.Delete("reduce")
	o.Concurrency = 1
	var manifest []byte
	for range 2 { // the second finds all done
		m, err := mapper.MapReduceByKeyTo(t.Context(), resuming(t, b, o), resumeEmit, resumeReduce, inputs, place)
		if err != nil {
			t.Fatal(err)
		}
		records := int64(0)
		for _, p := range m.Parts {
			records += p.Records
		}
		if records != 50 || ran(test).Load() != 20 {
			t.Errorf("%d keys, and %d map tasks ran", records, ran(test).Load())
		}
		if left := keys(t.Context(), t, out); len(left) != len(m.Parts)+1 {
			t.Errorf("%q are there for %d parts", left, len(m.Parts))
		}
		now := []byte(fmt.Sprint(m))
		if manifest != nil && !bytes.Equal(manifest, now) {
			t.Error("the result differs from run to run")
		}
		manifest = now
	}
	if _, err := mapper.MapReduceByKeyTo(t.Context(), resuming(t, b, mapper.Options{}), resumeEmit, resumeReduce, inputs, place); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another job takes the place: %v", err)
	}
}

// TestResumeFails: a job whose results cannot be kept ends, and says so.
func TestResumeFails(t *testing.T) {
	t.Parallel()
	for key, says := range map[string]string{"resume/it/run-1": "resume/it", "resume/it/1-*/0": "could not be kept"} {
		b := storagetest.Faults(memstore.New(), storagetest.Rule{Op: "putnew", Key: key, Before: fs.ErrPermission})
		ex, err := mapper.New(t.Context(), inproc.New(3), b, mapper.Options{Resume: "it"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := mapper.Map(t.Context(), ex, resumeWork, resumeInputs("fails", 10))
		if got != nil || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), says) {
			t.Errorf("%d results, %v", len(got), err)
		}
		_ = ex.Close() // says it again
	}
	for _, name := range []string{"a/b", ".."} {
		_, err := mapper.Map(t.Context(), resuming(t, memstore.New(), mapper.Options{Resume: name}), resumeWork, resumeInputs("fails", 1))
		mentions(t, err, name, "letters")
		mentions(t, mapper.Forget(t.Context(), memstore.New(), name), name, "letters")
	}
}
