package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var (
	reduceWord = mapper.Func("reduce-word", func(_ context.Context, i int) (string, error) {
		if i == 13 {
			return "", errors.New("unlucky")
		}
		return fmt.Sprintf("w%d ", i), nil
	})
	reduceBlock = mapper.Func("reduce-block", func(_ context.Context, i int) ([]byte, error) {
		b := make([]byte, (i%3)*700<<10) // none, below and above what rides along
		for k := range b {
			b[k] = byte(i)
		}
		return b, nil
	})
	reduceJoin = mapper.Reduce("reduce-join", func(_ context.Context, words iter.Seq[string]) (string, error) {
		var b strings.Builder
		for w := range words {
			b.WriteString(w)
		}
		return b.String(), nil
	})
	reduceFirst = mapper.Reduce("reduce-first", func(_ context.Context, words iter.Seq[string]) (string, error) {
		for w := range words {
			return w, nil
		}
		return "", errors.New("there is none")
	})
	reduceTwice = mapper.Reduce("reduce-twice", func(_ context.Context, words iter.Seq[string]) (int, error) {
		n := 0
		for range 2 {
			for range words {
				n++
			}
		}
		return n, nil
	})
	reducePull = mapper.Reduce("reduce-pull", func(_ context.Context, words iter.Seq[string]) (string, error) {
		next, stop := iter.Pull(words)
		defer stop()
		_, _ = next()
		second, _ := next()
		return second, nil
	})
	reduceFails = mapper.Reduce("reduce-fails", func(_ context.Context, words iter.Seq[string]) (string, error) {
		for range words {
		}
		return "half", errors.New("the disk is full")
	})
	reduceBlocks = mapper.Reduce("reduce-blocks", func(_ context.Context, blocks iter.Seq[[]byte]) ([]int, error) {
		sums := []int{}
		for b := range blocks {
			sum := 0
			for _, x := range b {
				sum += int(x)
			}
			sums = append(sums, sum)
		}
		return sums, nil
	})
)

func wordsTo(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d ", i)
	}
	return b.String()
}

// TestReduceOrder: values come in the order of the inputs.
func TestReduceOrder(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc://?workers=4", "local://?workers=2"} {
		ex := open(t, backend)
		for _, n := range []int{1, 2, 10} {
			got, err := mapper.MapReduce(t.Context(), ex.With(mapper.Options{BatchSize: 1}), reduceWord, reduceJoin, ints(n))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wordsTo(n), got); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestReduceReading: a reduction may stop early, read twice, or draw values by hand.
func TestReduceReading(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	if got, err := mapper.MapReduce(t.Context(), ex, reduceWord, reduceFirst, ints(10)); got != "w0 " || err != nil {
		t.Errorf("first: %q, %v", got, err)
	}
	if got, err := mapper.MapReduce(t.Context(), ex, reduceWord, reducePull, ints(10)); got != "w1 " || err != nil {
		t.Errorf("second: %q, %v", got, err)
	}
	if got, err := mapper.MapReduce(t.Context(), ex, reduceWord, reduceTwice, ints(10)); got != 20 || err != nil {
		t.Errorf("twice: %d, %v", got, err)
	}
}

// TestReduceFailures: there is no result beside an error, and ContinueOnError changes nothing: a reduction of some inputs
// would pass for that of all.
func TestReduceFailures(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t).With(mapper.Options{ContinueOnError: true})
	for name, c := range map[string]struct {
		r      mapper.Reduction[string, string]
		inputs []int
		words  []string
	}{
		"no inputs": {reduceJoin, nil, []string{"mapper: reduce-word: no inputs"}},
		"map":       {reduceJoin, ints(20), []string{"task 13 of reduce-word", "unlucky"}},
		"reduce":    {reduceFails, ints(5), []string{"task 0 of reduce-fails", "the disk is full"}},
	} {
		got, err := mapper.MapReduce(t.Context(), ex, reduceWord, c.r, c.inputs)
		mentions(t, err, c.words...)
		var one *mapper.TaskError
		if all := new(mapper.JobError); errors.As(err, &all) || errors.As(err, &one) != (name != "no inputs") {
			t.Errorf("%s: %T", name, err)
		}
		if got != "" {
			t.Errorf("%s: there is %q beside the error", name, got)
		}
	}
}

// TestReduceLarge: large values pass through the bucket, in order with the small ones. open checks that none stays.
func TestReduceLarge(t *testing.T) {
	t.Parallel()
	const n = 9
	want := make([]int, n)
	for i := range want {
		want[i] = (i % 3) * 700 << 10 * i
	}
	for _, backend := range []string{"inproc://?workers=2", "local://?workers=2"} {
		got, err := mapper.MapReduce(t.Context(), open(t, backend), reduceBlock, reduceBlocks, ints(n))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", backend, diff)
		}
	}
}
