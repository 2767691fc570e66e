package preprocess

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
)

// counts reports whether a pass counts values by key.
func counts(ops []op) bool {
	return slices.ContainsFunc(ops, func(o op) bool { _, ok := o.fitter.(Counter); return ok })
}

// tally is how often a value occurred, or, under the empty key, what fitters have learned.
type tally struct {
	N       int64    `json:"n"`
	Rows    int64    `json:"rows"`
	Learned *learned `json:"learned,omitempty"`
	Failed  string   `json:"failed,omitempty"` // why that could not be merged
}

func (a tally) add(b tally) tally {
	a.N, a.Rows, a.Failed = a.N+b.N, a.Rows+b.Rows, cmp.Or(a.Failed, b.Failed)
	switch {
	case a.Learned == nil:
		a.Learned = b.Learned
	case b.Learned != nil && a.Failed == "":
		l, err := merge(*a.Learned, *b.Learned)
		if err != nil {
			a.Failed = err.Error()
		}
		a.Learned = &l
	}
	return a
}

// countInput is a part, and where what all of a pass's tasks are told is.
type countInput struct {
	Part      dataset.Part
	URL, Spec string
	Inferred  int // of the source's schema, which JSON does not hold
}

// place names a value of a step's list.
type place struct {
	step  int
	list  string
	value string
}

// key is the place as a key: text, since it goes through JSON.
func (p place) key() string {
	return strconv.Itoa(p.step) + "\x00" + text(p.list) + "\x00" + text(p.value)
}

// text makes of any bytes text without \x00.
func text(s string) string {
	if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
		return "x" + hex.EncodeToString([]byte(s))
	}
	return "t" + s
}

// untext is the opposite of text.
func untext(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, "t"); ok {
		return rest, true
	}
	rest, ok := strings.CutPrefix(s, "x")
	raw, err := hex.DecodeString(rest)
	return string(raw), ok && err == nil
}

func placeOf(key string) (place, error) {
	step, rest, _ := strings.Cut(key, "\x00")
	list, value, _ := strings.Cut(rest, "\x00")
	n, err := strconv.Atoi(step)
	p := place{step: n}
	var ok, fine bool
	p.list, ok = untext(list)
	p.value, fine = untext(value)
	if err != nil || !ok || !fine {
		return place{}, fmt.Errorf("preprocess: a counted value has the key %.60q: %w", key, fs.ErrInvalid)
	}
	return p, nil
}

// count is a pass that counts.
func (s spec) count(ctx context.Context, ex *mapper.Executor, parts []dataset.Part, ops []op) (_ []op, skipped dataset.Skipped, err error) {
	work := storage.Prefix(ex.Bucket(), "preprocess/"+rand.Text()[:12])
	defer func() { err = errors.Join(err, remove(ctx, work)) }()
	told, err := json.Marshal(s)
	if err != nil {
		return nil, nil, fmt.Errorf("preprocess: %w", err)
	}
	if err := work.Put(ctx, "spec", bytes.NewReader(told)); err != nil {
		return nil, nil, err
	}
	inputs := make([]countInput, len(parts))
	for i, p := range parts {
		inputs[i] = countInput{p, work.URL(), "spec", s.Source.Schema.Inferred}
	}
	m, err := mapper.MapReduceByKeyTo(ctx, ex, countPart, sumTallies, inputs, storage.Prefix(work, "counts").URL())
	if err != nil {
		return nil, nil, err
	}
	wants := map[int]map[string]Want{}
	for _, o := range ops {
		if c, ok := o.fitter.(Counter); ok {
			wants[o.step] = c.Want()
		}
	}
	found, err := mapper.Map(ctx, ex, mostOf.With(wants), m.Splits(0))
	if err != nil {
		return nil, nil, err
	}
	all := selection{}
	for _, f := range found {
		if f.Learned != nil {
			skipped = f.Learned.Skipped
			if ops, err = f.Learned.into(ops); err != nil {
				return nil, nil, err
			}
		}
		for _, l := range f.Lists {
			all[listKey{l.Step, l.List}] = append(all[listKey{l.Step, l.List}], l.Values...)
		}
	}
	return ops, skipped, all.tell(wants, ops)
}

// listKey names a list of a step.
type listKey struct {
	step int
	list string
}

// selection is the most frequent values of lists, in no order.
type selection map[listKey][]Counted

// trim keeps what is wanted of a list, in order.
func (w Want) trim(values []Counted) []Counted {
	by := func(c Counted) int64 {
		if w.ByRows {
			return c.Rows
		}
		return c.N
	}
	values = slices.DeleteFunc(values, func(c Counted) bool { return by(c) < w.Least })
	slices.SortFunc(values, func(a, b Counted) int { return cmp.Or(cmp.Compare(by(b), by(a)), bytes.Compare(a.Value, b.Value)) })
	if w.Most > 0 {
		values = values[:min(len(values), w.Most)]
	}
	return values
}

// tell tells counters their values.
func (s selection) tell(wants map[int]map[string]Want, ops []op) error {
	for _, o := range ops {
		c, ok := o.fitter.(Counter)
		if !ok {
			continue
		}
		lists := wants[o.step]
		for _, list := range slices.Sorted(maps.Keys(lists)) {
			if err := c.Counted(list, lists[list].trim(s[listKey{o.step, list}])); err != nil {
				return fmt.Errorf("preprocess: step %d: %w", o.step, err)
			}
		}
	}
	return nil
}

// tallies are counts in memory.
type tallies map[place]*Counted

func (t tallies) add(step int, list string, value []byte, n, rows int64) error {
	p := place{step, list, string(value)}
	c := t[p]
	if c == nil {
		c = &Counted{Value: []byte(p.value)}
		t[p] = c
	}
	c.N, c.Rows = c.N+n, c.Rows+rows
	return nil
}

func (t tallies) tell(ops []op) error {
	wants := map[int]map[string]Want{}
	for _, o := range ops {
		if c, ok := o.fitter.(Counter); ok {
			wants[o.step] = c.Want()
		}
	}
	s := selection{}
	for p, c := range t {
		s[listKey{p.step, p.list}] = append(s[listKey{p.step, p.list}], *c)
	}
	return s.tell(wants, ops)
}

var (
	countPart = mapper.Emit("gowren/preprocess/count", func(ctx context.Context, in countInput, emit func(string, tally)) error {
		s, err := readSpec(ctx, in)
		if err != nil {
			return err
		}
		ops, err := s.ops()
		if err != nil {
			return err
		}
		r, g := s.Source.Read(in.Part), newGathering(emit)
		for b, err := range r.Blocks(ctx) {
			if err == nil {
				err = see(s.Source.Schema, b, ops, g.add)
			}
			if err != nil {
				return err
			}
		}
		g.flush()
		l, err := learnedBy(ops, r.Skipped())
		if err == nil {
			emit("", tally{Learned: &l})
		}
		return err
	})
	sumTallies = mapper.ReduceByKey("gowren/preprocess/sum", func(_ context.Context, _ string, all iter.Seq[tally]) (tally, error) {
		var sum tally
		for t := range all {
			sum = sum.add(t)
		}
		if sum.Failed != "" {
			return sum, errors.New(sum.Failed)
		}
		return sum, nil
	}).Combine(tally.add)

	mostOf = mapper.FuncWith("gowren/preprocess/most", func(ctx context.Context, wants map[int]map[string]Want, s storage.Split) (found, error) {
		var f found
		all := selection{}
		for pair, err := range storage.JSONLines[mapper.Pair[string, tally]](ctx, s) {
			if err != nil {
				return f, err
			}
			if pair.Key == "" {
				f.Learned = pair.Value.Learned
				continue
			}
			p, err := placeOf(pair.Key)
			if err != nil {
				return f, err
			}
			k, w := listKey{p.step, p.list}, wants[p.step][p.list]
			all[k] = append(all[k], Counted{[]byte(p.value), pair.Value.N, pair.Value.Rows})
			if w.Most > 0 && len(all[k]) > 2*w.Most+1000 {
				all[k] = w.trim(all[k])
			}
		}
		for k, values := range all {
			f.Lists = append(f.Lists, mostFrequent{k.step, k.list, wants[k.step][k.list].trim(values)})
		}
		return f, nil
	})
)

// found is what a part of the counts holds.
type found struct {
	Lists   []mostFrequent
	Learned *learned
}

type mostFrequent struct {
	Step   int
	List   string
	Values []Counted
}

// maxSpec bounds what a worker is told.
const maxSpec = 1 << 30

func readSpec(ctx context.Context, in countInput) (s spec, err error) {
	b, err := storage.Open(ctx, in.URL)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	r, err := b.Get(ctx, in.Spec, 0, maxSpec)
	if err != nil {
		return s, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	s.Source.Schema.Inferred = in.Inferred
	return s, err
}

// remove deletes all of a bucket, also after ctx has ended.
func remove(ctx context.Context, b storage.Bucket) error {
	ctx = context.WithoutCancel(ctx)
	var keys []string
	for o, err := range b.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("preprocess: what is left of a pass: %w", err)
		}
		keys = append(keys, o.Key)
	}
	return b.Delete(ctx, keys...)
}
