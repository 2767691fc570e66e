package mapper_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

// table is a shared argument that counts how often it is decoded, in this process.
type table struct {
	name   string
	weight []byte
}

var (
	tableDecoded sync.Map // by name, *atomic.Int64
	tables       atomic.Int64
)

func (b table) MarshalBinary() ([]byte, error) {
	return append(append([]byte(b.name), 0), b.weight...), nil
}

func (b *table) UnmarshalBinary(data []byte) error {
	for i, c := range data {
		if c == 0 {
			b.name, b.weight = string(data[:i]), append([]byte{}, data[i+1:]...)
			break
		}
	}
	n, _ := tableDecoded.LoadOrStore(b.name, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	return nil
}

var (
	sharedName = mapper.FuncWith("shared-name", func(_ context.Context, b table, i int) (string, error) {
		return b.name + string(rune('0'+i%10)), nil
	})
	sharedSize = mapper.FuncWith("shared-size", func(_ context.Context, b []byte, _ int) (int, error) { return len(b), nil })
	sharedFunc = mapper.FuncWith("shared-func", func(context.Context, func(), int) (int, error) { return 0, nil })
	sharedNone = mapper.FuncWith("shared-none", func(_ context.Context, m map[string]int, i int) (bool, error) { return m == nil, nil })
)

func names(name string, n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = name + string(rune('0'+i%10))
	}
	return s
}

// TestSharedOnce: an argument is decoded once for all tasks and jobs, small or large enough to travel through the bucket;
// another one is another, and they do not mix in jobs at the same time.
func TestSharedOnce(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t).With(mapper.Options{BatchSize: 3})
	for _, size := range []int{0, 1 << 10, 1 << 20} {
		var jobs sync.WaitGroup
		for _, name := range []string{"a", "b", "c"} {
			jobs.Go(func() {
				b := table{fmt.Sprint(name, tables.Add(1), "-"), make([]byte, size)}
				for range 3 {
					got, err := mapper.Map(t.Context(), ex, sharedName.With(b), ints(50))
					if err != nil {
						t.Error(err)
						return
					}
					if diff := cmp.Diff(names(b.name, 50), got); diff != "" {
						t.Error(diff)
					}
				}
				n, ok := tableDecoded.Load(b.name)
				if !ok || n.(*atomic.Int64).Load() != 1 {
					t.Errorf("%s of %d bytes was not decoded once", b.name, size)
				}
			})
		}
		jobs.Wait()
	}
	if left := keys(t.Context(), t, ex.Bucket()); left != nil {
		t.Errorf("%v stayed in the bucket", left)
	}
}

// TestSharedChanges: the argument is encoded when a job begins, so that what is changed between two jobs is seen.
func TestSharedChanges(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc", "local://?workers=2"} {
		ex := open(t, backend)
		for _, size := range []int{0, 5, 100 << 10} {
			got, err := mapper.Map(t.Context(), ex, sharedSize.With(make([]byte, size)), ints(5))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int{size, size, size, size, size}, got); diff != "" {
				t.Errorf("%s: %s", backend, diff)
			}
		}
	}
}

// TestSharedNil: the zero value is an argument.
func TestSharedNil(t *testing.T) {
	t.Parallel()
	if isNil, err := mapper.Call(t.Context(), mappertest.New(t), sharedNone.With(nil), 1); !isNil || err != nil {
		t.Error(isNil, err)
	}
}

func TestSharedUnencodable(t *testing.T) {
	t.Parallel()
	_, err := mapper.Call(t.Context(), mappertest.New(t), sharedFunc.With(func() {}), 1)
	mentions(t, err, "mapper: shared-func: the shared argument cannot be encoded", "func()")
}
