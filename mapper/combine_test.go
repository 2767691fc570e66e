package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

// matrix is 2x2, modulo a prime: its product is associative, exact, and depends on the order.
type matrix [4]int64

func (a matrix) times(b matrix) matrix {
	const p = 1_000_003
	return matrix{
		(a[0]*b[0] + a[1]*b[2]) % p, (a[0]*b[1] + a[1]*b[3]) % p,
		(a[2]*b[0] + a[3]*b[2]) % p, (a[2]*b[1] + a[3]*b[3]) % p,
	}
}

func matrixOf(i int) matrix {
	n := int64(i)
	return matrix{n + 1, 2*n + 3, n*n + 1, 7}
}

func floatOf(i int) float64 {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	return math.Ldexp(r.Float64()-0.5, r.IntN(80)-40)
}

var (
	combineMatrix = mapper.Func("combine-matrix", func(_ context.Context, i int) (matrix, error) { return matrixOf(i), nil })
	combineFloat  = mapper.Func("combine-float", func(_ context.Context, i int) (float64, error) { return floatOf(i), nil })
	combineWord   = mapper.Func("combine-word", func(_ context.Context, i int) (string, error) { return fmt.Sprintf("w%d ", i), nil })
	combineBlock  = mapper.Func("combine-block", func(_ context.Context, i int) ([]byte, error) {
		return make([]byte, 1<<20+i), nil
	})
	combineTimes  = mapper.Combine("combine-times", func(_ context.Context, a, b matrix) (matrix, error) { return a.times(b), nil })
	combineJoin   = mapper.Combine("combine-join", func(_ context.Context, a, b string) (string, error) { return a + b, nil })
	combineAdd    = mapper.Combine("combine-add", func(_ context.Context, a, b float64) (float64, error) { return a + b, nil })
	combineLonger = mapper.Combine("combine-longer", func(_ context.Context, a, b []byte) ([]byte, error) {
		if len(b) > len(a) {
			return b, nil
		}
		return a, nil
	})
	combineFails = mapper.Combine("combine-fails", func(_ context.Context, a, b string) (string, error) {
		return a + b, errors.New("they do not fit")
	})
)

// TestCombine compares with a plain fold, at the sizes where the tree gets another branch or level.
func TestCombine(t *testing.T) {
	t.Parallel()
	for _, ex := range []*mapper.Executor{mappertest.New(t), open(t, "local://?workers=2")} {
		for _, n := range []int{1, 2, 15, 16, 17, 255, 256, 257, 1000, 4097} {
			product := matrixOf(0)
			for i := 1; i < n; i++ {
				product = product.times(matrixOf(i))
			}
			gotProduct, err := mapper.MapReduce(t.Context(), ex, combineMatrix, combineTimes, ints(n))
			if err != nil || gotProduct != product {
				t.Errorf("%d matrices: %v, %v, want %v", n, gotProduct, err, product)
			}
			gotWords, err := mapper.MapReduce(t.Context(), ex, combineWord, combineJoin, ints(n))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wordsTo(n), gotWords); diff != "" {
				t.Errorf("%d words: %s", n, diff)
			}
		}
	}
}

// TestCombineBits: floating-point sums, which depend on how they are bracketed, come out the same to the bit everywhere.
func TestCombineBits(t *testing.T) {
	t.Parallel()
	const n = 1000
	sums := map[uint64][]string{}
	for _, backend := range []string{"inproc://?workers=1", "inproc://?workers=5", "local://?workers=1", "local://?workers=2&cpus=2"} {
		ex := open(t, backend)
		for _, size := range []int{0, 1, 17, n} {
			sum, err := mapper.MapReduce(t.Context(), ex.With(mapper.Options{BatchSize: size}), combineFloat, combineAdd, ints(n))
			if err != nil {
				t.Fatal(err)
			}
			bits := math.Float64bits(sum)
			sums[bits] = append(sums[bits], fmt.Sprintf("%s in batches of %d", backend, size))
		}
	}
	if len(sums) != 1 {
		t.Errorf("sums by their bits: %v", sums)
	}
	plain := 0.0
	for i := range n {
		plain += floatOf(i)
	}
	for bits := range sums {
		if bits == math.Float64bits(plain) {
			t.Error("the plain sum has the same bits: these numbers show nothing")
		}
	}
}

// TestCombineLarge: values of many levels that go through the bucket. open checks that none stays there.
func TestCombineLarge(t *testing.T) {
	t.Parallel()
	const n = 20
	got, err := mapper.MapReduce(t.Context(), open(t, "local://?workers=2"), combineBlock, combineLonger, ints(n))
	if err != nil || len(got) != 1<<20+n-1 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestCombineFails: an error in the tree is the job's. One value needs no combining.
func TestCombineFails(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	for _, n := range []int{2, 40} {
		got, err := mapper.MapReduce(t.Context(), ex, combineWord, combineFails, ints(n))
		mentions(t, err, "combine-fails", "they do not fit")
		if got != "" {
			t.Errorf("%q beside the error", got)
		}
	}
	if got, err := mapper.MapReduce(t.Context(), ex, combineWord, combineFails, ints(1)); got != "w0 " || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
