// Package registry holds the program's functions by name, without their types: mapper writes it when a program starts,
// and the worker reads it.
package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
)

// Function is a registered function.
type Function struct {
	Name  string
	Types string // its signature, compared between driver and worker
	Where string // file:line of its registration
	// Shared decodes the argument that all tasks of a job share. It is nil where the function has none.
	Shared func(c *serialize.Coder, data []byte) (any, error)
	// Call decodes the input, calls the function, and appends the encoded result to dst.
	Call func(ctx context.Context, c *serialize.Coder, shared any, in Input, dst []byte) ([]byte, error)
	// Fold, where not nil, is the function that makes one value of two of a key, for a function that reduces by key.
	Fold any
}

// Input is a task's input as it came.
type Input struct {
	Data []byte // its encoding
	// Parts, where not nil, opens the values of earlier tasks that Data lists, for functions that reduce them.
	Parts Parts
	// Bucket opens the job's bucket. It stays open.
	Bucket func(context.Context) (storage.Bucket, error)
}

// Parts reads back values that tasks produced.
type Parts interface {
	// Each calls f with each value's encoding, in order, until f returns false. The bytes are valid during the call.
	// An error means that values are missing: whatever was made of the others must not be used.
	Each(ctx context.Context, list []byte, f func(value []byte) bool) error
}

// DecodeError marks an error as one of decoding an input.
type DecodeError struct{ Err error }

func (e *DecodeError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError marks an error as one of encoding a result.
type EncodeError struct{ Err error }

func (e *EncodeError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *EncodeError) Unwrap() error { return e.Err }

// ReadError marks an error as one of reaching a task's input, which another attempt may mend.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// WriteError marks an error as one of storing a result, which another attempt may mend.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

var (
	mu        sync.RWMutex
	functions = map[string]*Function{}
	sealed    bool
)

// Add registers a function. It panics when the name is empty or taken, or when the registry is sealed: a worker would
// never have the function, or another one.
func Add(f *Function) {
	mu.Lock()
	defer mu.Unlock()
	switch old := functions[f.Name]; {
	case f.Name == "":
		panic(fmt.Sprintf("mapper: the function registered at %s has an empty name; give it one", f.Where))
	case old != nil:
		panic(fmt.Sprintf("mapper: two functions have the name %q: one is registered at %s, one at %s; rename one", f.Name, old.Where, f.Where))
	case sealed:
		panic(fmt.Sprintf("mapper: the function %q is registered at %s after mapper.Main has run, so no worker would have it; register functions in package variables", f.Name, f.Where))
	}
	functions[f.Name] = f
}

// Seal ends registration: mapper.Main has run.
func Seal() {
	mu.Lock()
	defer mu.Unlock()
	sealed = true
}

// Sealed reports whether mapper.Main has run.
func Sealed() bool {
	mu.RLock()
	defer mu.RUnlock()
	return sealed
}

// Find returns the function of that name, or nil.
func Find(name string) *Function {
	mu.RLock()
	defer mu.RUnlock()
	return functions[name]
}

// Names returns the names of all functions, sorted.
func Names() []string {
	mu.RLock()
	defer mu.RUnlock()
	return slices.Sorted(maps.Keys(functions))
}
