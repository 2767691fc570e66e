package mapper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/serialize"
)

// record is an input of some of everything.
type record struct {
	ID     int
	Name   string
	Floats []float64
	Bytes  []byte
	Tags   map[string]int
	Next   *record
}

var (
	diffRecord = mapper.Func("diff-record", func(_ context.Context, r record) (record, error) {
		if r.ID%11 == 5 {
			return r, fmt.Errorf("record %d is broken", r.ID)
		}
		r.Name = strings.ToUpper(r.Name)
		r.Tags = map[string]int{r.Name: len(r.Floats), "id": r.ID}
		return record{ID: -r.ID, Next: &r}, nil
	})
	diffSum = mapper.Func("diff-sum", func(_ context.Context, r record) ([]float64, error) {
		sum := 0.0
		for _, f := range r.Floats {
			sum += f
		}
		if r.ID%29 == 7 {
			panic("seven")
		}
		return append(r.Floats, sum), nil
	})
	diffAny = mapper.FuncWith("diff-any", func(_ context.Context, shared map[string]int, r record) (any, error) {
		switch r.ID % 5 {
		case 0:
			return nil, nil
		case 1:
			return r.Name, nil
		case 2:
			return r.Floats, nil
		case 3:
			return shared[r.Name], nil
		}
		return nil, errors.New("a fifth")
	})
	diffAdd = mapper.Combine("diff-add", func(_ context.Context, a, b []float64) ([]float64, error) {
		if len(b) > len(a) {
			a, b = b, a
		}
		for i, f := range b {
			a[i] += f / 3
		}
		return a, nil
	})
	diffCount = mapper.Reduce("diff-count", func(_ context.Context, all iter.Seq[any]) (map[string]int, error) {
		n := map[string]int{}
		for v := range all {
			n[fmt.Sprintf("%T", v)]++
		}
		return n, nil
	})
)

func randomRecords(r *rand.Rand) []record {
	list := make([]record, r.IntN(120)+1)
	for i := range list {
		list[i] = record{ID: r.IntN(1000), Name: strings.Repeat("ä", r.IntN(4)), Floats: make([]float64, r.IntN(40))}
		for k := range list[i].Floats {
			list[i].Floats[k] = r.NormFloat64()
		}
		if r.IntN(20) == 0 { // the bucket's share
			list[i].Bytes = make([]byte, r.IntN(2<<20))
		}
	}
	return list
}

// outcome is the encoding of what a job gave: its result and the text of its error.
func outcome(t *testing.T, result any, err error) []byte {
	t.Helper()
	data, bad := serialize.Marshal(result)
	if bad != nil {
		t.Fatal(bad)
	}
	var all *mapper.JobError
	if errors.As(err, &all) {
		for _, e := range all.Tasks {
			data = fmt.Appendf(data, "%d %d %s\n", e.Index, e.Attempts, e.Message)
		}
		return data
	}
	if err != nil { // which task fails first is a matter of luck
		return []byte("failed")
	}
	return data
}

// TestDifferential runs the same random jobs under random options on both backends. What comes of them has the same
// bytes: it depends on the inputs alone.
func TestDifferential(t *testing.T) {
	t.Parallel()
	backends := []*mapper.Executor{open(t, "inproc://?workers=3"), open(t, "local://?workers=2&cpus=2")}
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(2026, seed))
		inputs := randomRecords(r)
		o := mapper.Options{BatchSize: r.IntN(9), Concurrency: r.IntN(3), Retries: r.IntN(3) - 1, ContinueOnError: r.IntN(4) > 0}
		shared := map[string]int{"ä": 1, "ää": r.IntN(100)}
		jobs := map[string]func(ex *mapper.Executor) []byte{
			"records": func(ex *mapper.Executor) []byte {
				out, err := mapper.Map(t.Context(), ex, diffRecord, inputs)
				return outcome(t, out, err)
			},
			"sums": func(ex *mapper.Executor) []byte {
				out, err := mapper.Map(t.Context(), ex, diffSum, inputs)
				return outcome(t, out, err)
			},
			"any": func(ex *mapper.Executor) []byte {
				out, err := mapper.Map(t.Context(), ex, diffAny.With(shared), inputs)
				return outcome(t, out, err)
			},
			"combined": func(ex *mapper.Executor) []byte {
				out, err := mapper.MapReduce(t.Context(), ex, diffSum, diffAdd, inputs)
				return outcome(t, out, err)
			},
			"reduced": func(ex *mapper.Executor) []byte {
				out, err := mapper.MapReduce(t.Context(), ex, diffAny.With(shared), diffCount, inputs)
				return outcome(t, out, err)
			},
		}
		for name, run := range jobs {
			a, b := run(backends[0].With(o)), run(backends[1].With(o))
			if !bytes.Equal(a, b) {
				t.Errorf("seed %d, %s, %+v: %d and %d bytes that differ", seed, name, o, len(a), len(b))
			}
		}
	}
}
