package serialize_test

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/serialize"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestConcurrentFirstUse has many goroutines meet a recursive type at once, and values of it.
func TestConcurrentFirstUse(t *testing.T) {
	type leaf struct {
		V  vector
		Up map[string]*leaf
	}
	type fresh struct {
		L    []leaf
		Self *fresh
	}
	x := fresh{L: []leaf{{V: vector{1}, Up: map[string]*leaf{"a": {}}}}, Self: &fresh{}}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			b, err := serialize.Marshal(&x)
			if err != nil {
				t.Error(err)
				return
			}
			var got fresh
			if err := serialize.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, x) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	wg.Wait()
}

// TestDeterministic is that one value has one encoding, whatever the order its maps were filled in.
func TestDeterministic(t *testing.T) {
	type all struct {
		A map[string]int
		B map[int]string
		C map[point]float64
		D map[any]any
		E map[float32]map[string]bool
		F map[textType]string
		G map[uint16]any
		H map[bool][]byte
		I words
	}
	build := func(reverse bool) all {
		x := all{map[string]int{}, map[int]string{}, map[point]float64{}, map[any]any{}, map[float32]map[string]bool{}, map[textType]string{}, map[uint16]any{}, map[bool][]byte{}, words{}}
		for i := range 100 {
			if reverse {
				i = 99 - i
			}
			s := fmt.Sprint("a common start ", i)
			x.A[s], x.B[i-50], x.C[point{i, -i}], x.D[s], x.D[i] = i, s, float64(i), i, s
			x.E[float32(i)-50] = map[string]bool{s: true, "": false}
			x.F[textType{s}], x.G[uint16(i)], x.H[i%2 == 0], x.I[s] = s, map[string]any{s: i, "x": nil}, nil, i
		}
		return x
	}
	var first []byte
	for n := range 20 {
		x := build(n%2 == 0)
		b, err := serialize.Marshal(&x)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if string(b) != string(first) {
			t.Fatal("two encodings of one value")
		}
		if got := sent(t, x); !reflect.DeepEqual(got, x) {
			t.Fatal("the value came back different")
		}
	}
}
