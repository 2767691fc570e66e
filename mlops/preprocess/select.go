package preprocess

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() {
	Register(builtin, Drop{}, Dropped{})
	Register(builtin, Keep{})
	Register(builtin, Role{})
}

// Drop leaves columns out.
type Drop struct {
	Columns []string
}

// Plan needs no pass.
func (s Drop) Plan(in dataset.Schema) (Plan, error) {
	t := Dropped(s)
	out, err := t.Out(in)
	return Plan{Reads: s.Columns, Writes: s.Columns, Out: out, Transform: t}, err
}

// Keep leaves all other columns out, except a label and a weight. The columns stay in their order.
type Keep struct {
	Columns []string
}

// Plan needs no pass.
func (s Keep) Plan(in dataset.Schema) (Plan, error) {
	if len(s.Columns) == 0 {
		return Plan{}, fmt.Errorf("keep: Columns is empty: it names those that are kept: %w", fs.ErrInvalid)
	}
	var others []string
	for _, name := range s.Columns {
		if in.Index(name) < 0 {
			return Plan{}, errColumn("keep", in, name)
		}
	}
	for _, c := range in.Columns {
		if c.Role != dataset.Label && c.Role != dataset.Weight && !slices.Contains(s.Columns, c.Name) {
			others = append(others, c.Name)
		}
	}
	return Drop{others}.Plan(in)
}

// Dropped is what [Drop] and [Keep] become.
type Dropped struct {
	Columns []string
}

// Out leaves the columns out.
func (t Dropped) Out(in dataset.Schema) (dataset.Schema, error) {
	if _, err := kept(in, t.Columns); err != nil {
		return in, err
	}
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	out.Columns = slices.DeleteFunc(out.Columns, func(c dataset.Column) bool { return slices.Contains(t.Columns, c.Name) })
	return out, out.Check()
}

// Apply leaves the columns out of a block.
func (t Dropped) Apply(in dataset.Schema, b *dataset.Block) error {
	left := b.Columns[:0]
	for i, c := range in.Columns {
		if !slices.Contains(t.Columns, c.Name) {
			left = append(left, b.Columns[i])
		}
	}
	b.Columns = left
	return nil
}

// Role changes what a column is for.
type Role struct {
	Column string
	As     dataset.Role
}

// Plan needs no pass.
func (s Role) Plan(in dataset.Schema) (Plan, error) {
	out, err := s.Out(in)
	return Plan{Reads: []string{s.Column}, Writes: []string{s.Column}, Out: out, Transform: s}, err
}

// Out changes the column's role.
func (s Role) Out(in dataset.Schema) (dataset.Schema, error) {
	at, err := theOne("role", in, s.Column)
	if err != nil {
		return in, err
	}
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	out.Columns[at].Role = s.As
	return out, out.Check()
}

// Apply changes nothing in a block.
func (s Role) Apply(dataset.Schema, *dataset.Block) error { return nil }
