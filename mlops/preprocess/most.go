package preprocess

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// maxListBytes bounds the bytes of the values of a list that are in memory at once, and about what keeps them: 64 bytes each.
const maxListBytes = 512 << 20

// listKey names a list of a step.
type listKey struct {
	Step int
	List string
}

// selection is what is wanted of lists, in no order, out of values that come one after another.
type selection struct {
	wants  map[int]map[string]Want
	lists  map[listKey]*listed
	values int // of a list of which all are wanted, at most
	bytes  int // of a list, at most
}

// listed are the values of a list that may be wanted.
type listed struct {
	values []Counted
	bytes  int
}

func newSelection(wants map[int]map[string]Want) *selection {
	return &selection{wants, map[listKey]*listed{}, maxValues, maxListBytes}
}

func (s *selection) want(k listKey) Want { return s.wants[k.Step][k.List] }

func (s *selection) list(k listKey) *listed {
	l := s.lists[k]
	if l == nil {
		l = &listed{}
		s.lists[k] = l
	}
	return l
}

// add takes a value, and drops others where fewer are wanted. It is false where the list becomes larger than one may be.
func (s *selection) add(k listKey, c Counted) bool {
	w, l := s.want(k), s.list(k)
	if w.by(c) < w.Least {
		return true
	}
	l.values, l.bytes = append(l.values, c), l.bytes+bytesOf(c)
	if w.Most == 0 {
		return len(l.values) <= s.values && l.bytes <= s.bytes
	}
	if len(l.values) > 2*w.Most+1000 || l.bytes > 2*s.bytes {
		l.values, l.bytes = w.trim(l.values), 0
		for _, c := range l.values {
			l.bytes += bytesOf(c)
		}
		return l.bytes <= s.bytes
	}
	return true
}

func bytesOf(c Counted) int { return len(c.Value) + 64 }

// by is by what values are chosen.
func (w Want) by(c Counted) int64 {
	if w.ByRows {
		return c.Rows
	}
	return c.N
}

// trim keeps what is wanted of a list, in order.
func (w Want) trim(values []Counted) []Counted {
	values = slices.DeleteFunc(values, func(c Counted) bool { return w.by(c) < w.Least })
	slices.SortFunc(values, func(a, b Counted) int { return cmp.Or(cmp.Compare(w.by(b), w.by(a)), bytes.Compare(a.Value, b.Value)) })
	if w.Most > 0 && len(values) > w.Most {
		clear(values[w.Most:])
		values = values[:w.Most]
	}
	return values
}

// tell tells counters their values.
func (s *selection) tell(ops []op) error {
	for _, o := range ops {
		c, ok := o.fitter.(Counter)
		if !ok {
			continue
		}
		lists := s.wants[o.step]
		for _, list := range slices.Sorted(maps.Keys(lists)) {
			if err := c.Counted(list, lists[list].trim(s.list(listKey{o.step, list}).values)); err != nil {
				return fmt.Errorf("preprocess: %w", inStep(o.step, o.name, err))
			}
		}
	}
	return nil
}

// found is what a part of the counts holds.
type found struct {
	Lists   []mostFrequent
	Learned *learned
	Full    *listKey // a list that became too large: the rest was not read
}

type mostFrequent struct {
	Key    listKey
	Values []Counted
}

var mostOf = mapper.FuncWith("gowren/preprocess/most", func(ctx context.Context, wants map[int]map[string]Want, s storage.Split) (found, error) {
	return newSelection(wants).read(storage.JSONLines[mapper.Pair[string, tally]](ctx, s))
})

// read selects of counts. It stops at the first list that becomes too large.
func (s *selection) read(pairs iter.Seq2[mapper.Pair[string, tally], error]) (found, error) {
	var f found
	for pair, err := range pairs {
		if err != nil {
			return found{}, err
		}
		if pair.Key == "" {
			f.Learned = pair.Value.Learned
			continue
		}
		p, err := placeOf(pair.Key)
		if err != nil {
			return found{}, err
		}
		k := listKey{p.step, p.list}
		if !s.add(k, Counted{[]byte(p.value), pair.Value.N, pair.Value.Rows}) {
			return found{Full: &k}, nil
		}
	}
	for k, l := range s.lists {
		f.Lists = append(f.Lists, mostFrequent{k, s.want(k).trim(l.values)})
	}
	return f, nil
}

// merge takes what was found in a part.
func (s *selection) merge(f found, ops []op) error {
	if f.Full != nil {
		return s.full(*f.Full, ops)
	}
	for _, l := range f.Lists {
		for _, c := range l.Values {
			if !s.add(l.Key, c) {
				return s.full(l.Key, ops)
			}
		}
	}
	return nil
}

// full is the error of a list that became too large.
func (s *selection) full(k listKey, ops []op) error {
	for _, o := range ops {
		if f, ok := o.fitter.(interface{ full(list string) error }); ok && o.step == k.Step {
			return fmt.Errorf("preprocess: %w", inStep(k.Step, o.name, f.full(k.List)))
		}
	}
	return fmt.Errorf("preprocess: step %d: list %.40q has more than %d values, or takes more than %d MiB: %w", k.Step, k.List, s.values, s.bytes>>20, fs.ErrInvalid)
}
