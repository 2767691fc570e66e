package preprocess

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// fitting is a pipeline while it is fitted.
type fitting struct {
	steps []Step
	in    dataset.Schema
	ready []Transform // of each step; nil: it is to be fitted
}

// op is what a pass does with each block: a transform that is known, or a fitter that learns.
type op struct {
	step      int
	name      string // of the step, in Go
	transform Transform
	fitter    Fitter
	plan      Plan
}

// nameOf is what a step is called in Go.
func nameOf(s Step) string { return fmt.Sprintf("%T", s) }

// pass returns what the next pass does, step by step. A step is fitted as soon as none of the columns that it reads is
// written by a step before it that is not fitted; until then it is passed over, and so is what depends on it. Nothing to
// fit is the end: then all steps are ready.
func (f *fitting) pass() ([]op, bool, error) {
	var ops []op
	var open []string // columns that steps not fitted yet will write
	fits := false
	schema := f.in
	for i, step := range f.steps {
		if step == nil {
			return nil, false, fmt.Errorf("preprocess: step %d is nil: %w", i, fs.ErrInvalid)
		}
		plan, err := step.Plan(schema)
		if err != nil {
			return nil, false, fmt.Errorf("preprocess: %w", inStep(i, nameOf(step), err))
		}
		if err := cmp.Or(known(plan, schema), f.unread(plan, schema)); err != nil {
			return nil, false, fmt.Errorf("preprocess: %w", inStep(i, nameOf(step), err))
		}
		waits := slices.ContainsFunc(plan.Reads, func(c string) bool { return slices.Contains(open, c) })
		if f.ready[i] == nil && plan.Fitter == nil && !waits {
			f.ready[i] = plan.Transform
		}
		switch {
		case waits:
		case f.ready[i] != nil:
			ops = append(ops, op{step: i, name: nameOf(step), transform: f.ready[i], plan: plan})
			if schema, err = f.ready[i].Out(schema); err == nil {
				err = agree(plan.Out, schema)
			}
			if err != nil {
				return nil, false, fmt.Errorf("preprocess: %w", inStep(i, nameOf(step), err))
			}
			continue
		default:
			ops = append(ops, op{step: i, name: nameOf(step), fitter: plan.Fitter, plan: plan})
			fits = true
		}
		open = append(open, plan.Writes...)
		schema = plan.Out
	}
	return needed(ops), fits, nil
}

// needed leaves out transforms that nothing fitted in the pass depends on: those whose columns no op after them reads, nor
// writes, as where one column makes room for another of its name.
func needed(ops []op) []op {
	var used []string
	var kept []op
	for _, o := range slices.Backward(ops) {
		if o.fitter == nil && !slices.ContainsFunc(o.plan.Writes, func(c string) bool { return slices.Contains(used, c) }) {
			continue
		}
		kept = append(kept, o)
		used = append(append(used, o.plan.Reads...), o.plan.Writes...)
	}
	slices.Reverse(kept)
	return kept
}

// known returns an error where a step's plan reads a column that is not there, or has nothing that is done.
func known(p Plan, in dataset.Schema) error {
	for _, name := range p.Reads {
		if _, err := in.Find(name); err != nil {
			return fmt.Errorf("what it reads: %w", err)
		}
	}
	var v any = p.Transform
	switch {
	case p.Fitter != nil:
		v = p.Fitter
	case p.Transform == nil:
		return fmt.Errorf("its plan has neither a fitter nor a transform: %w", fs.ErrInvalid)
	}
	_, err := named(v)
	return err
}

// unread returns an error where a step's plan reads a column of the source that is ignored, of which no value is seen: readers leave
// them out, and so does [Fitted.Row]. Who drops it, or takes rows as they are, may.
func (f *fitting) unread(p Plan, in dataset.Schema) error {
	reads := p.Reads
	switch t := p.Transform.(type) {
	case Dropped:
		return nil
	case DropMissing:
		reads = t.Columns
	}
	for _, name := range reads {
		at, was := in.Index(name), f.in.Index(name)
		if at >= 0 && was >= 0 && in.Columns[at].Role == dataset.Ignored && f.in.Columns[was].Role == dataset.Ignored {
			return fmt.Errorf("column %q is ignored, so that its values are not read: give it another role in the Schema of the source, and ignore it by a last step, Role{Column: %[1]q, As: dataset.Ignored}: %w", name, fs.ErrInvalid)
		}
	}
	return nil
}
