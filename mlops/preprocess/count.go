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
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gowren/gowren/internal/leftover"
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
func (s spec) count(ctx context.Context, ex *mapper.Executor, parts []dataset.Part, ops []op) (_ []op, seen learned, err error) {
	work := storage.Prefix(ex.Bucket(), "preprocess/"+rand.Text()[:12])
	defer func() { err = errors.Join(err, remove(ctx, work)) }()
	told, err := json.Marshal(s)
	if err != nil {
		return nil, seen, fmt.Errorf("preprocess: %w", err)
	}
	if err := work.Put(ctx, "spec", bytes.NewReader(told)); err != nil {
		return nil, seen, err
	}
	inputs := make([]countInput, len(parts))
	for i, p := range parts {
		inputs[i] = countInput{p, work.URL(), "spec", s.Source.Schema.Inferred}
	}
	m, err := mapper.MapReduceByKeyTo(ctx, ex, countPart, sumTallies, inputs, storage.Prefix(work, "counts").URL())
	if err != nil {
		return nil, seen, err
	}
	wants := map[int]map[string]Want{}
	for _, o := range ops {
		if c, ok := o.fitter.(Counter); ok {
			wants[o.step] = c.Want()
		}
	}
	job, err := mapper.Start(ctx, ex, mostOf.With(wants), mapper.Inputs(slices.Values(m.Splits(0))))
	if err != nil {
		return nil, seen, err
	}
	defer job.Cancel()
	all := newSelection(wants)
	for r, err := range job.Results() {
		if err != nil {
			return nil, seen, err
		}
		if l := r.Value.Learned; l != nil {
			seen = *l
			if ops, err = l.into(ops); err != nil {
				return nil, seen, err
			}
		}
		if err := all.merge(r.Value, ops); err != nil {
			return nil, seen, err
		}
	}
	if err := seen.of(s.Source); err != nil {
		return nil, seen, err
	}
	return ops, seen, all.tell(ops)
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
	s := selection{wants: wants, lists: map[listKey]*listed{}} // of what is in memory
	for p, c := range t {
		l := s.list(listKey{p.step, p.list})
		l.values = append(l.values, *c)
	}
	return s.tell(ops)
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
		r, g, rows := s.Source.Read(in.Part), newGathering(emit), int64(0)
		for b, err := range r.Blocks(ctx) {
			if err == nil {
				rows += int64(b.Rows)
				err = see(s.Source.Schema, b, ops, g.add)
			}
			if err != nil {
				return err
			}
		}
		g.flush()
		l, err := learnedBy(ops, r.Skipped(), rows)
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
)

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
	if err := leftover.Delete(ctx, b, "", func(string) bool { return true }); err != nil {
		return fmt.Errorf("preprocess: what is left of a pass stays in %s: %w", b.URL(), err)
	}
	return nil
}
