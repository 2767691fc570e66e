package mapper

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/serialize"
)

// Function is a registered function from In to Out: what [Map], [Start], [Call] and [MapReduce] take. It is made by
// [Func], or by [FunctionWith.With].
type Function[In, Out any] struct {
	f      *registry.Function
	shared any // a pointer to the shared argument; nil where there is none
}

// Func registers f under a name and returns its handle. Call it in a package variable, so that the driver and every
// worker of the same program have it:
//
//	var square = mapper.Func("square", func(ctx context.Context, x int) (int, error) { return x * x, nil })
//
// The name is what travels to a worker, so it must be the only one of its kind in the program, and stay the same for
// [Options] that refer to earlier runs. In and Out are any types that package serialize takes.
//
// f may be called more than once for one input, on any worker, and several calls may run at once in one worker. Its
// context ends when the job is stopped or the task's time-out passes; [CurrentTask] tells what it was called for.
//
// Func panics where the name is empty or taken, or [Main] has run: the worker would not have the function.
func Func[In, Out any](name string, f func(ctx context.Context, in In) (Out, error)) Function[In, Out] {
	return Function[In, Out]{f: register(name, signature[In, Out](), plain(f))}
}

// plain returns how a worker calls a function of an input alone.
func plain[In, Out any](f func(ctx context.Context, in In) (Out, error)) func(context.Context, *serialize.Coder, any, registry.Input, []byte) ([]byte, error) {
	return func(ctx context.Context, c *serialize.Coder, _ any, in registry.Input, dst []byte) ([]byte, error) {
		v, err := input[In](c, in)
		if err != nil {
			return nil, err
		}
		out, err := f(ctx, v)
		return result(c, dst, &out, err)
	}
}

// input decodes a task's input.
func input[In any](c *serialize.Coder, in registry.Input) (In, error) {
	var v In
	if err := c.Decode(in.Data, &v); err != nil {
		return v, &registry.DecodeError{Err: fmt.Errorf("the input could not be decoded: %w", err)}
	}
	return v, nil
}

// FunctionWith is a registered function that takes one more argument, the same for all tasks of a job.
type FunctionWith[S, In, Out any] struct{ f *registry.Function }

// FuncWith is [Func] for a function with a shared argument: a model, a table, settings. The argument is sent once, not
// with every task; a worker decodes it once and keeps it, within 256 MB, for further tasks and jobs. All tasks of a
// worker share the one value, so f must not change it. As with all values, unexported fields are not sent.
func FuncWith[S, In, Out any](name string, f func(ctx context.Context, shared S, in In) (Out, error)) FunctionWith[S, In, Out] {
	types := "with " + reflect.TypeFor[S]().String() + " " + signature[In, Out]()
	r := register(name, types, func(ctx context.Context, c *serialize.Coder, shared any, in registry.Input, dst []byte) ([]byte, error) {
		v, err := input[In](c, in)
		if err != nil {
			return nil, err
		}
		out, err := f(ctx, *shared.(*S), v)
		return result(c, dst, &out, err)
	})
	r.Shared = func(c *serialize.Coder, data []byte) (any, error) {
		v := new(S)
		return v, c.Decode(data, v)
	}
	return FunctionWith[S, In, Out]{r}
}

// With binds the shared argument. It is encoded when a job begins.
func (f FunctionWith[S, In, Out]) With(shared S) Function[In, Out] {
	return Function[In, Out]{f: f.f, shared: &shared}
}

// result appends the encoding of what a function returned.
func result[Out any](c *serialize.Coder, dst []byte, out *Out, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	dst, err = c.Append(dst, out)
	if err != nil {
		return nil, &registry.EncodeError{Err: fmt.Errorf("the result could not be encoded: %w", err)}
	}
	return dst, nil
}

func signature[In, Out any]() string {
	return fmt.Sprintf("func(%s) %s", reflect.TypeFor[In](), reflect.TypeFor[Out]())
}

// register is called by the function that the user calls; that one's caller is named in errors.
func register(name, types string, call func(context.Context, *serialize.Coder, any, registry.Input, []byte) ([]byte, error)) *registry.Function {
	where := "an unknown place"
	if _, file, line, ok := runtime.Caller(2); ok {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	r := &registry.Function{Name: name, Types: types, Where: where, Call: call}
	registry.Add(r)
	return r
}
