package preprocess

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mlops/dataset"
)

// Fit learns from a dataset, as jobs on workers: one for each pass that the steps' dependencies need, which reads all of the
// source once. Where Source.Rows has none of the rows that a pass reads, it is the error of [dataset.SplitRows.Empty]. A pass in which values are
// counted by key writes the counts to the executor's bucket and removes them at its end.
func (p Pipeline) Fit(ctx context.Context, ex *mapper.Executor, src dataset.Source) (*Fitted, error) {
	parts, err := src.Parts(ctx)
	if err != nil {
		return nil, err
	}
	f, err := p.fit(src.Schema, func(ops []op) ([]op, dataset.Skipped, error) { return learn(ctx, ex, src, parts, ops) })
	if err != nil {
		return nil, err
	}
	if own := src.Format.Spellings(); !slices.Equal(own, dataset.DefaultMissing()) {
		f.Missing = own
	}
	f.Infinite = src.Format.Infinite
	return f, nil
}

// learn makes a pass over parts, as a job.
func learn(ctx context.Context, ex *mapper.Executor, src dataset.Source, parts []dataset.Part, ops []op) ([]op, dataset.Skipped, error) {
	if len(parts) == 0 {
		return ops, nil, cmp.Or(learned{}.of(src), tallies{}.tell(ops))
	}
	rows := int64(0)
	if slices.ContainsFunc(ops, func(o op) bool { _, ok := o.fitter.(samples); return ok }) {
		var err error
		if rows, err = rowsOf(ctx, src.Format, parts); err != nil {
			return nil, nil, err
		}
	}
	for {
		for _, o := range ops {
			if f, ok := o.fitter.(samples); ok {
				f.samples().expect(rows)
			}
		}
		got, all, err := learnOnce(ctx, ex, src, parts, ops)
		if err != nil {
			return nil, nil, err
		}
		short := slices.IndexFunc(got, func(o op) bool { f, ok := o.fitter.(samples); return ok && !f.samples().enough() })
		if short < 0 {
			return got, all.Skipped, nil
		}
		// There were far fewer than expected. Now it is known how many there are.
		was := rows
		if rows = got[short].fitter.(samples).samples().Rows; rows >= was {
			rows = 0
		}
	}
}

// learnOnce returns the ops with what a job has learned, and that.
func learnOnce(ctx context.Context, ex *mapper.Executor, src dataset.Source, parts []dataset.Part, ops []op) (_ []op, all learned, err error) {
	s, err := newSpec(src, ops)
	if err != nil {
		return nil, all, err
	}
	if counts(ops) {
		return s.count(ctx, ex, parts, slices.Clone(ops))
	}
	if all, err = s.learn(ctx, ex, parts); err == nil {
		err = all.of(src)
	}
	if err != nil {
		return nil, all, err
	}
	ops, err = all.into(slices.Clone(ops))
	return ops, all, err
}

// mergedHere is for how many numbers of how many parts, multiplied, what is learned of each part is merged by the driver: up to
// some 64 MB come to it then, while other parts are read. More is merged by the workers, after the last part.
const mergedHere = 1 << 14

func (s spec) learn(ctx context.Context, ex *mapper.Executor, parts []dataset.Part) (all learned, err error) {
	width := 0
	for _, c := range s.Source.Schema.Columns {
		width += max(c.Width, 1)
	}
	if width > mergedHere/len(parts) {
		return mapper.MapReduce(ctx, ex, fitPart.With(s), mergeLearned, parts)
	}
	job, err := mapper.Start(ctx, ex, fitPart.With(s), mapper.Inputs(slices.Values(parts)))
	if err != nil {
		return all, err
	}
	defer job.Cancel()
	for r, err := range job.Results() {
		if err == nil {
			if all.States == nil {
				all = r.Value
			} else {
				all, err = merge(all, r.Value)
			}
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// FitBlocks learns from blocks in this process, which stay as they are. It goes over them once for each pass, and holds all
// counted values in memory.
func (p Pipeline) FitBlocks(in dataset.Schema, blocks iter.Seq2[*dataset.Block, error]) (*Fitted, error) {
	return p.fit(in, func(ops []op) ([]op, dataset.Skipped, error) { return learnBlocks(in, blocks, ops) })
}

// learnBlocks makes a pass over blocks.
func learnBlocks(in dataset.Schema, blocks iter.Seq2[*dataset.Block, error], ops []op) ([]op, dataset.Skipped, error) {
	t := tallies{}
	changes := slices.ContainsFunc(ops, func(o op) bool { return o.transform != nil })
	for b, err := range blocks {
		if err == nil {
			if changes {
				b = b.Clone()
			}
			err = see(in, b, ops, t.add)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return ops, nil, t.tell(ops)
}

// fit goes through the passes, each of which learn makes.
func (p Pipeline) fit(in dataset.Schema, learn func(ops []op) ([]op, dataset.Skipped, error)) (*Fitted, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	f := &fitting{steps: p, in: in, ready: make([]Transform, len(p))}
	var skipped dataset.Skipped
	for {
		ops, more, err := f.pass()
		if err != nil {
			return nil, err
		}
		if !more {
			steps := make([]string, len(p))
			for i, s := range p {
				steps[i] = nameOf(s)
			}
			fitted, err := newFitted(in, f.ready, steps)
			if err == nil {
				fitted.Skipped = skipped
			}
			return fitted, err
		}
		if ops, skipped, err = learn(ops); err != nil {
			return nil, err
		}
		for _, o := range ops {
			if o.fitter == nil {
				continue
			}
			if f.ready[o.step], err = o.fitter.Fit(); err != nil {
				return nil, fmt.Errorf("preprocess: %w", inStep(o.step, o.name, err))
			}
		}
	}
}

// emitter takes what a [Counter] counts.
type emitter func(step int, list string, value []byte, n, rows int64) error

// see does a pass's work on a block. It may change its values, and not which columns it has: who yields blocks uses them
// again.
func see(in dataset.Schema, b *dataset.Block, ops []op, emit emitter) error {
	own := *b
	own.Columns = slices.Clone(b.Columns)
	b = &own
	for _, o := range ops {
		var err error
		if in, err = o.see(in, b, emit); err != nil {
			return fmt.Errorf("preprocess: %w", inStep(o.step, o.name, err))
		}
	}
	return nil
}

// see does the op's work on a block, and returns the schema that it has then.
func (o op) see(in dataset.Schema, b *dataset.Block, emit emitter) (dataset.Schema, error) {
	defer panics(o.step, o.name)
	if o.transform != nil {
		out, err := o.transform.Out(in)
		if err == nil {
			err = applied(o.transform, in, out, b)
		}
		return out, err
	}
	err := o.fitter.See(in, b)
	if c, ok := o.fitter.(Counter); ok && err == nil {
		var failed error
		err = c.Count(in, b, func(list string, value []byte, n, rows int64) {
			if failed == nil {
				failed = emit(o.step, list, value, n, rows)
			}
		})
		err = errors.Join(err, failed)
	}
	return in, err
}

// spec is what all tasks of a pass are told.
type spec struct {
	Source dataset.Source
	Ops    []byte // JSON of []specOp
}

type specOp struct {
	Step      int     `json:"step"`
	Name      string  `json:"name"`
	Transform *tagged `json:"transform,omitempty"`
	Fitter    *State  `json:"fitter,omitempty"`
}

func newSpec(src dataset.Source, ops []op) (spec, error) {
	all := make([]specOp, len(ops))
	for i, o := range ops {
		all[i].Step, all[i].Name = o.step, o.name
		if o.transform != nil {
			t, err := tag(o.transform)
			if err != nil {
				return spec{}, err
			}
			all[i].Transform = &t
			continue
		}
		s, err := stateOf(o.fitter)
		if err != nil {
			return spec{}, err
		}
		all[i].Fitter = &s
	}
	data, err := json.Marshal(all)
	if err != nil {
		return spec{}, fmt.Errorf("preprocess: %w", err)
	}
	return spec{src, data}, nil
}

// ops are the spec's, with fitters that have seen nothing.
func (s spec) ops() ([]op, error) {
	var all []specOp
	if err := json.Unmarshal(s.Ops, &all); err != nil {
		return nil, fmt.Errorf("preprocess: %w", err)
	}
	ops := make([]op, len(all))
	for i, o := range all {
		var err error
		ops[i].step, ops[i].name = o.Step, o.Name
		switch {
		case o.Transform != nil:
			ops[i].transform, err = untag[Transform](*o.Transform)
		case o.Fitter != nil:
			ops[i].fitter, err = o.Fitter.fitter()
		}
		if err != nil {
			return nil, err
		}
	}
	return ops, nil
}

// learned is what fitters have learned of some parts.
type learned struct {
	States  []State // of the ops with fitters, in order
	Skipped dataset.Skipped
	Rows    int64 // that were read
}

func learnedBy(ops []op, skipped dataset.Skipped, rows int64) (learned, error) {
	l := learned{Skipped: skipped, Rows: rows}
	for _, o := range ops {
		if o.fitter == nil {
			continue
		}
		s, err := stateOf(o.fitter)
		if err != nil {
			return l, err
		}
		l.States = append(l.States, s)
	}
	return l, nil
}

// of returns an error where the source was to have rows, and none was seen.
func (l learned) of(src dataset.Source) error {
	if l.Rows > 0 {
		return nil
	}
	return src.Rows.Empty()
}

// into returns ops with fitters that have learned that.
func (l learned) into(ops []op) ([]op, error) {
	i := 0
	for n := range ops {
		if ops[n].fitter == nil {
			continue
		}
		if i >= len(l.States) {
			return nil, fmt.Errorf("preprocess: a pass brings %d states, and has more fitters", len(l.States))
		}
		var err error
		if ops[n].fitter, err = l.States[i].fitter(); err != nil {
			return nil, err
		}
		i++
	}
	return ops, nil
}

// merge learns in a what b has.
func merge(a, b learned) (learned, error) {
	if len(a.States) != len(b.States) {
		return a, fmt.Errorf("preprocess: %d states and %d of one pass", len(a.States), len(b.States))
	}
	a.Skipped, a.Rows = a.Skipped.Merge(b.Skipped), a.Rows+b.Rows
	for i := range a.States {
		x, err := a.States[i].fitter()
		if err != nil {
			return a, err
		}
		y, err := b.States[i].fitter()
		if err == nil {
			err = x.Merge(y)
		}
		if err == nil {
			a.States[i], err = stateOf(x)
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

var (
	fitPart = mapper.FuncWith("gowren/preprocess/fit", func(ctx context.Context, s spec, p dataset.Part) (learned, error) {
		ops, err := s.ops()
		if err != nil {
			return learned{}, err
		}
		r, rows := s.Source.Read(p), int64(0)
		for b, err := range r.Blocks(ctx) {
			if err == nil {
				rows += int64(b.Rows)
				err = see(s.Source.Schema, b, ops, nil)
			}
			if err != nil {
				return learned{}, err
			}
		}
		return learnedBy(ops, r.Skipped(), rows)
	})
	mergeLearned = mapper.Combine("gowren/preprocess/merge", func(_ context.Context, a, b learned) (learned, error) { return merge(a, b) })
)
