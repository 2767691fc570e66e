package preprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
)

// TestSelection holds that what is held of a list is bounded, by number and by bytes, wherever its values come from.
func TestSelection(t *testing.T) {
	t.Parallel()
	k := listKey{3, "0"}
	ops := []op{{step: 3, name: "preprocess.OneHot", fitter: &categoryFitter{Columns: []dataset.Column{{Name: "city"}}}}}
	value := func(i, long int) Counted {
		return Counted{fmt.Appendf(nil, "%d%s", i, strings.Repeat("x", long)), int64(i%7 + 1), 1}
	}
	for name, c := range map[string]struct {
		want Want
		long int
		full int // at which value it is too large; 0: never
	}{
		"all":                     {Want{}, 0, 1001},
		"all, long":               {Want{}, 1000, 97},
		"of frequent ones":        {Want{Least: 4}, 0, 1752},
		"some":                    {Want{Most: 10}, 0, 0},
		"some, long":              {Want{Most: 10}, 1000, 0},
		"some that are too large": {Want{Most: 150}, 1000, 193},
	} {
		s := newSelection(map[int]map[string]Want{3: {"0": c.want}})
		s.values, s.bytes = 1000, 100<<10
		full := 0
		for i := 0; i < 5000 && full == 0; i++ {
			if !s.add(k, value(i, c.long)) {
				full = i + 1
			}
			if l := s.list(k); len(l.values) > 1100 || l.bytes > 2*s.bytes+2000 {
				t.Fatalf("%s: it holds %d values, %d bytes", name, len(l.values), l.bytes)
			}
		}
		if full-c.full > 10 || c.full-full > 10 {
			t.Errorf("%s: it is full at %d, want about %d", name, full, c.full)
		}
	}

	// Parts that are not too large alone.
	s := newSelection(map[int]map[string]Want{3: {"0": {}}})
	s.values = 1000
	part := func(from int) (f found) {
		l := mostFrequent{Key: k}
		for i := range 600 {
			l.Values = append(l.Values, value(from+i, 0))
		}
		return found{Lists: []mostFrequent{l}}
	}
	if err := s.merge(part(0), ops); err != nil {
		t.Fatal(err)
	}
	for _, f := range []found{part(600), {Full: &k}} {
		if err := s.merge(f, ops); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `step 3 (preprocess.OneHot): column "city" has more than`) {
			t.Error(err)
		}
	}
	if n := len(s.list(k).values); n > 1001 {
		t.Errorf("the driver holds %d values", n)
	}
	if err := s.full(listKey{9, "other"}, ops); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `list "other"`) {
		t.Error(err)
	}

	// A task stops there.
	s = newSelection(map[int]map[string]Want{3: {"0": {}}})
	s.values = 1000
	read := 0
	f, err := s.read(func(yield func(mapper.Pair[string, tally], error) bool) {
		for read < 5000 {
			read++
			if !yield(mapper.Pair[string, tally]{Key: place{3, "0", fmt.Sprint(read)}.key(), Value: tally{N: 1}}, nil) {
				return
			}
		}
	})
	if err != nil || f.Full == nil || *f.Full != k || len(f.Lists) > 0 || read != 1001 {
		t.Errorf("it has read %d values: %+v, %v", read, f, err)
	}
}
