package mappertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var (
	square   = mapper.Func("square", func(_ context.Context, x int) (int, error) { return x * x, nil })
	echo     = mapper.Func("echo", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	stubborn = mapper.Func("stubborn", func(context.Context, int) (int, error) {
		time.Sleep(3 * time.Second)
		return 0, nil
	})
)

// test stands for the *testing.T of a user's test.
type test struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (t *test) Helper()          {}
func (t *test) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *test) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

func (t *test) end() {
	for _, f := range t.cleanups {
		f()
	}
}

// In a test, t is its *testing.T.
func Example() {
	t := &outside{}
	defer t.end()

	ex := mappertest.New(t)
	squares, err := mapper.Map(context.Background(), ex, square, []int{1, 2, 3})
	fmt.Println(squares, err)
	// Output: [1 4 9] <nil>
}

// outside stands for a test where there is none.
type outside struct{ test }

func (*outside) Context() context.Context { return context.Background() }

// TestLarge: large values need no bucket of the user's.
func TestLarge(t *testing.T) {
	t.Parallel()
	got, err := mapper.Call(t.Context(), mappertest.New(t), echo, make([]byte, 3<<20))
	if err != nil || len(got) != 3<<20 {
		t.Error(len(got), err)
	}
}

// TestSeparate: what one test's executor holds is not seen by another's.
func TestSeparate(t *testing.T) {
	t.Parallel()
	a, b := mappertest.New(t), mappertest.New(t)
	if err := a.Bucket().Put(t.Context(), "key", strings.NewReader("value")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Bucket().Stat(t.Context(), "key"); err == nil {
		t.Error("two executors have one bucket")
	}
}

// TestStubborn: a task that goes on after its job has ended fails the test that left it.
func TestStubborn(t *testing.T) {
	t.Parallel()
	user := &test{TB: t}
	ex := mappertest.New(user)
	impatient := ex.With(mapper.Options{Timeout: 20 * time.Millisecond, Retries: -1})
	if _, err := mapper.Call(t.Context(), impatient, stubborn, 1); !errors.Is(err, mapper.ErrTimeout) {
		t.Errorf("%v is no time-out", err)
	}
	user.end()
	if len(user.errors) != 1 || !strings.Contains(user.errors[0], "go on") {
		t.Errorf("%q", user.errors)
	}
}
