package preprocess

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"sync"

	"github.com/gowren/gowren/mlops/dataset"
)

// Step is a transform before it is fitted: what a user writes down. Its exported fields are its settings. Steps travel to
// workers, so each type is registered by [Register].
type Step interface {
	// Plan says what the step does to rows of a schema, or why it cannot.
	Plan(in dataset.Schema) (Plan, error)
}

// Plan is what a step does to rows of one schema.
type Plan struct {
	// Reads names the columns by which the step is fitted, and that it is applied to. Writes names those that it changes,
	// makes or removes: all, where it leaves rows out. Columns that the source ignores have no values, and are not to be read.
	Reads, Writes []string
	// Out is the schema of what it makes. The width of a vector may be unknown before the step is fitted: then it is -1.
	Out dataset.Schema
	// Fitter, where the step learns from rows, is what learns, empty. Otherwise Transform is what it does.
	Fitter    Fitter
	Transform Transform
}

// Fitter learns from blocks of rows. What it has learned is the same however rows come in blocks and in whatever order
// blocks and fitters are merged, to the bit. It travels: its exported fields are its state, and its type is registered.
type Fitter interface {
	// See learns from a block, of the schema that the step was planned for.
	See(in dataset.Schema, b *dataset.Block) error
	// Merge learns what another fitter of the same step has, which is not used any more.
	Merge(other Fitter) error
	// Fit makes the transform.
	Fit() (Transform, error)
}

// Counter is a [Fitter] that needs to know how often values occur, of which there may be more than memory holds: they are
// counted by key.
type Counter interface {
	Fitter
	// Count calls emit for the values of a block: how often they occurred, in how many rows, and of which list they are.
	Count(in dataset.Schema, b *dataset.Block, emit func(list string, value []byte, n, rows int64)) error
	// Want says of which lists the most frequent values are wanted, and how many. It follows from the step's settings.
	Want() map[string]Want
	// Counted is told the most frequent values of a list, in the order of their counts, those that are equally frequent in
	// the order of their bytes. Fit follows.
	Counted(list string, values []Counted) error
}

// Want is how many values of a list a [Counter] asks for, and by what they are chosen. A job holds 512 MiB of a list, and 1 GiB
// while it chooses: what is wanted that takes more is an error.
type Want struct {
	Most   int   // values; 0 is all, and more than 4,194,304 are an error
	Least  int64 // occurrences, or rows, at least
	ByRows bool  // by the number of rows, not of occurrences
}

// Counted is how often a value occurred, and in how many rows.
type Counted struct {
	Value []byte
	N     int64
	Rows  int64
}

// Transform is a fitted step. Its exported fields are what it has learned; its type is registered.
type Transform interface {
	// Out returns the schema of what it makes of rows of a schema, or why it cannot.
	Out(in dataset.Schema) (dataset.Schema, error)
	// Apply makes of a block of the schema in one of the schema that Out tells, in place, as [dataset.Block.Check] has it. It
	// may leave rows out, as [dataset.Block.Take] does; of a single row that is [ErrDropped].
	Apply(in dataset.Schema, b *dataset.Block) error
}

// builtin is the name with which this package registers its own.
const builtin = "preprocess"

var (
	typesMu sync.RWMutex
	types   = map[string]reflect.Type{}
	names   = map[reflect.Type]string{}
)

// Register makes types of steps, fitters and transforms known to workers and to saved pipelines: each by name, a dot, and what
// it is called in Go. Whoever renames one cannot load what was saved with it. It is called before mapper.Main, with a value of
// each type, struct or pointer to one; the name is best that of a package. Unexported fields do not travel, and are
// not saved. A type that is registered already, one of the name of another, and one that has no name in Go are a panic.
func Register(name string, values ...any) {
	typesMu.Lock()
	defer typesMu.Unlock()
	for _, v := range values {
		t := reflect.TypeOf(v)
		own := t
		if own.Kind() == reflect.Pointer {
			own = own.Elem()
		}
		if own.Name() == "" {
			panic(fmt.Sprintf("preprocess: the type %v has no name", t))
		}
		full := name + "." + own.Name()
		if _, taken := types[full]; taken {
			panic(fmt.Sprintf("preprocess: the name %q is registered already", full))
		}
		if _, again := names[t]; again {
			panic(fmt.Sprintf("preprocess: the type %v is registered already", t))
		}
		types[full], names[t] = t, full
	}
}

// named returns the registered name of a value's type.
func named(v any) (string, error) {
	typesMu.RLock()
	defer typesMu.RUnlock()
	name, ok := names[reflect.TypeOf(v)]
	if !ok {
		return "", fmt.Errorf("preprocess: the type %T is not registered: call preprocess.Register before mapper.Main: %w", v, fs.ErrInvalid)
	}
	return name, nil
}

// fresh returns a pointer to a new value of the type with a name, and the value that the pointer will hold.
func fresh(name string) (reflect.Value, func() any, error) {
	typesMu.RLock()
	t, ok := types[name]
	typesMu.RUnlock()
	if !ok {
		return reflect.Value{}, nil, fmt.Errorf("preprocess: nothing is registered as %q: the program that wrote it knows other steps: %w", name, fs.ErrNotExist)
	}
	if t.Kind() == reflect.Pointer {
		p := reflect.New(t.Elem())
		return p, p.Interface, nil
	}
	p := reflect.New(t)
	return p, func() any { return p.Elem().Interface() }, nil
}

// tagged is a registered value as JSON.
type tagged struct {
	Type  string          `json:"type"`
	Step  string          `json:"step,omitempty"` // whose transform it is, for errors
	Value json.RawMessage `json:"value"`
}

func tag(v any) (tagged, error) {
	name, err := named(v)
	if err != nil {
		return tagged{}, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return tagged{}, fmt.Errorf("preprocess: a %s cannot be saved: %w", name, err)
	}
	return tagged{Type: name, Value: data}, nil
}

// decode reads one JSON value and nothing else. A field that the value does not have is an error: what it meant would be lost.
func decode(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more after it: %w", fs.ErrInvalid)
	}
	return nil
}

// untag returns the value of a tagged one, of a type that has the methods of T.
func untag[T any](x tagged) (T, error) {
	var none T
	p, value, err := fresh(x.Type)
	if err != nil {
		return none, err
	}
	if err := decode(bytes.NewReader(x.Value), p.Interface()); err != nil {
		return none, fmt.Errorf("preprocess: what was saved of a %s cannot be read: %w", x.Type, err)
	}
	v, ok := value().(T)
	if !ok {
		return none, fmt.Errorf("preprocess: %q is registered as something else: %w", x.Type, fs.ErrInvalid)
	}
	return v, nil
}

// errKind is for a step that is told to read a column of another kind.
func errKind(step string, c dataset.Column, want ...dataset.Kind) error {
	kinds := make([]string, len(want))
	for i, k := range want {
		kinds[i] = string(k)
	}
	return fmt.Errorf("%s: column %q is a %s, and not a %s: %w", step, c.Name, c.Kind, strings.Join(kinds, " or "), fs.ErrInvalid)
}

// errColumn is for a step that names a column that is not there.
func errColumn(step string, in dataset.Schema, name string) error {
	_, err := in.Find(name)
	return fmt.Errorf("%s: %w", step, err)
}

var errNothing = errors.New("no row was seen")
