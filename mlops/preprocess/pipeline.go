package preprocess

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/gowren/gowren/mlops/dataset"
)

// Pipeline is steps, of which each has what those before it make.
type Pipeline []Step

// Fitted is a pipeline that has learned. It is safe for concurrent use; blocks that it is applied to are its callers'.
type Fitted struct {
	Skipped dataset.Skipped // rows that were left out when it was fitted, by reason
	// Missing (spellings) and Infinite are those of the format that it was fitted to, by which [Fitted.Row] reads. Nil is
	// [dataset.DefaultMissing].
	Missing  []string
	Infinite dataset.Policy
	// KeepMissing keeps what is still missing at the end, as NaN, for a model that takes it. Otherwise it is an error.
	KeepMissing bool

	once       sync.Once
	values     *dataset.Values // by these two
	transforms []Transform
	schemas    []dataset.Schema // before each transform, and after the last
	steps      []string         // what the step of each transform is called in Go
}

// version is of the form of saved pipelines.
const version = 1

// saved is a Fitted as JSON.
type saved struct {
	Version    int             `json:"version"`
	In         dataset.Schema  `json:"in"`
	Transforms []tagged        `json:"transforms"`
	Skipped    dataset.Skipped `json:"skipped,omitempty"`
	Missing    []string        `json:"missing,omitzero"` // none is another thing than the default
	Infinite   dataset.Policy  `json:"infinite,omitempty"`
	Keep       bool            `json:"keepmissing,omitempty"`
}

// newFitted makes one, whose transforms fit together, each of a step that is called so.
func newFitted(in dataset.Schema, transforms []Transform, steps []string) (*Fitted, error) {
	f := &Fitted{transforms: transforms, schemas: []dataset.Schema{copied(in)}, steps: steps}
	for i, t := range transforms {
		out, err := t.Out(f.schemas[i])
		if err == nil {
			err = out.Check()
		}
		if err != nil {
			return nil, fmt.Errorf("preprocess: %w", inStep(i, f.step(i), err))
		}
		f.schemas = append(f.schemas, copied(out))
	}
	return f, nil
}

// step is what a step is called; where that is not known, what has become of it.
func (f *Fitted) step(i int) string {
	if i < len(f.steps) && f.steps[i] != "" {
		return f.steps[i]
	}
	return fmt.Sprintf("%T", f.transforms[i])
}

// inStep is an error that names the step, by its place in the pipeline, from 0 on, and what it is called.
func inStep(i int, name string, err error) error { return fmt.Errorf("step %d (%s): %w", i, name, err) }

// panics, deferred, has a panic of a step's own code name the step.
func panics(i int, name string) {
	if r := recover(); r != nil {
		panic(fmt.Sprintf("preprocess: step %d (%s): %v", i, name, r))
	}
}

// In is the schema of the rows that it takes: those that it was fitted to.
func (f *Fitted) In() dataset.Schema { return copied(f.in()) }

// Out is the schema of the rows that it makes.
func (f *Fitted) Out() dataset.Schema { return copied(f.out()) }

func (f *Fitted) in() dataset.Schema  { return f.schemas[0] }
func (f *Fitted) out() dataset.Schema { return f.schemas[len(f.schemas)-1] }

// Transforms are what it does, in order.
func (f *Fitted) Transforms() []Transform { return slices.Clone(f.transforms) }

// copied is a schema that its caller may change.
func copied(s dataset.Schema) dataset.Schema {
	s.Columns = slices.Clone(s.Columns)
	return s
}

// Apply makes of a block of the schema In one of the schema Out, in place. It may have fewer rows then: see [DropMissing].
func (f *Fitted) Apply(b *dataset.Block) error {
	if err := b.Check(f.in()); err != nil {
		return fmt.Errorf("preprocess: the block is not one of the schema In: %w", err)
	}
	if _, err := f.apply(b, true); err != nil {
		return fmt.Errorf("preprocess: %w", err)
	}
	return nil
}

// apply makes of a block that is one of the schema In one of the schema Out. Where rows have no labels and weights, these are missing.
// It returns which transform has left out the last row, if one has.
func (f *Fitted) apply(b *dataset.Block, labelled bool) (last int, err error) {
	for i := range f.transforms {
		before := b.Rows
		if err := f.transform(i, b, labelled); err != nil {
			return 0, err
		}
		if before > 0 && b.Rows == 0 {
			last = i
		}
	}
	return last, nil
}

// transform does what one transform does.
func (f *Fitted) transform(i int, b *dataset.Block, labelled bool) error {
	defer panics(i, f.step(i))
	t := f.transforms[i]
	if d, ok := t.(DropMissing); ok && !labelled {
		t = d.unlabelled(f.schemas[i])
	}
	if err := applied(t, f.schemas[i], f.schemas[i+1], b); err != nil {
		return inStep(i, f.step(i), err)
	}
	return nil
}

// Save writes it, as JSON.
func (f *Fitted) Save(w io.Writer) error {
	s := saved{Version: version, In: f.in(), Transforms: make([]tagged, len(f.transforms)), Skipped: f.Skipped, Missing: f.Missing, Infinite: f.Infinite, Keep: f.KeepMissing}
	for i, t := range f.transforms {
		var err error
		if s.Transforms[i], err = tag(t); err != nil {
			return err
		}
		if i < len(f.steps) {
			s.Transforms[i].Step = f.steps[i]
		}
	}
	if err := json.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("preprocess: save: %w", err)
	}
	return nil
}

// maxSaved bounds what Load reads.
const maxSaved = 1 << 30

// Load reads what Save has written. [Open] reads what is stored with a set.
func Load(r io.Reader) (*Fitted, error) {
	var s saved
	if err := decode(io.LimitReader(r, maxSaved), &s); err != nil {
		return nil, fmt.Errorf("preprocess: load: %w", err)
	}
	if s.Version != version {
		return nil, fmt.Errorf("preprocess: load: it has version %d, and this program reads %d: %w", s.Version, version, errors.ErrUnsupported)
	}
	if err := cmp.Or(s.In.Check(), s.Infinite.Check()); err != nil {
		return nil, fmt.Errorf("preprocess: load: %w", err)
	}
	transforms, steps := make([]Transform, len(s.Transforms)), make([]string, len(s.Transforms))
	for i, x := range s.Transforms {
		var err error
		if transforms[i], err = untag[Transform](x); err != nil {
			return nil, err
		}
		steps[i] = x.Step
	}
	f, err := newFitted(s.In, transforms, steps)
	if err == nil {
		f.Skipped, f.Missing, f.Infinite, f.KeepMissing = s.Skipped, s.Missing, s.Infinite, s.Keep
	}
	return f, err
}
