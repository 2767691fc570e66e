package preprocess

import (
	"fmt"
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
	transform Transform
	fitter    Fitter
}

// pass returns what the next pass does, step by step. A step is fitted as soon as none of the columns that it reads is
// written by a step before it that is not fitted; until then it is passed over, and so is what depends on it. Nothing to
// fit is the end: then all steps are ready.
func (f *fitting) pass() ([]op, bool, error) {
	var ops []op
	var open []string // columns that steps not fitted yet will write
	fits := false
	schema := f.in
	for i, step := range f.steps {
		plan, err := step.Plan(schema)
		if err != nil {
			return nil, false, fmt.Errorf("preprocess: step %d (%T): %w", i, step, err)
		}
		waits := slices.ContainsFunc(plan.Reads, func(c string) bool { return slices.Contains(open, c) })
		if f.ready[i] == nil && plan.Fitter == nil && !waits {
			f.ready[i] = plan.Transform
		}
		switch {
		case waits:
		case f.ready[i] != nil:
			ops = append(ops, op{step: i, transform: f.ready[i]})
			if schema, err = f.ready[i].Out(schema); err != nil {
				return nil, false, fmt.Errorf("preprocess: step %d (%T): %w", i, step, err)
			}
			continue
		default:
			ops = append(ops, op{step: i, fitter: plan.Fitter})
			fits = true
		}
		open = append(open, plan.Writes...)
		schema = plan.Out
	}
	return ops, fits, nil
}
