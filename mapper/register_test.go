package mapper_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

func identity(_ context.Context, x int) (int, error)              { return x, nil }
func identityWith(_ context.Context, _, x int) (int, error)       { return x, nil }
func totalByKey(context.Context, int, iter.Seq[int]) (int, error) { return 0, nil }
func plus(_ context.Context, a, b int) (int, error)               { return a + b, nil }
func total(_ context.Context, s iter.Seq[int]) (int, error) {
	n := 0
	for v := range s {
		n += v
	}
	return n, nil
}

// here is the line that calls it.
func here() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

// One name of each kind, with its line.
var (
	takenFuncAt, _     = here(), mapper.Func("register-func", identity)
	takenFuncWithAt, _ = here(), mapper.FuncWith("register-func-with", identityWith)
	takenReduceAt, _   = here(), mapper.Reduce("register-reduce", total)
	takenCombineAt, _  = here(), mapper.Combine("register-combine", plus)
)

// registrations register a name in each way, and set the line where they do.
var registrations = map[string]func(name string, line *int){
	"Func":        func(name string, line *int) { *line = here(); mapper.Func(name, identity) },
	"FuncWith":    func(name string, line *int) { *line = here(); mapper.FuncWith(name, identityWith) },
	"Reduce":      func(name string, line *int) { *line = here(); mapper.Reduce(name, total) },
	"Combine":     func(name string, line *int) { *line = here(); mapper.Combine(name, plus) },
	"Emit":        func(name string, line *int) { *line = here(); mapper.Emit(name, emitAll[int, int]) },
	"ReduceByKey": func(name string, line *int) { *line = here(); mapper.ReduceByKey(name, totalByKey) },
}

// panics returns what registering a name panics with, and the line where it was registered.
func panics(t *testing.T, register func(string, *int), name string) (message string, line int) {
	t.Helper()
	defer func() {
		if message, _ = recover().(string); message == "" {
			t.Errorf("registering %q does not panic with a message", name)
		}
	}()
	register(name, &line)
	return "", line
}

// TestNameTwice holds that both places of the user's are named, whatever the kinds.
func TestNameTwice(t *testing.T) {
	t.Parallel()
	taken := map[string]int{
		"register-func": takenFuncAt, "register-func-with": takenFuncWithAt,
		"register-reduce": takenReduceAt, "register-combine": takenCombineAt,
	}
	for kind, register := range registrations {
		for name, first := range taken {
			message, second := panics(t, register, name)
			for _, want := range []string{
				fmt.Sprintf("%q", name), fmt.Sprintf("register_test.go:%d,", first), fmt.Sprintf("register_test.go:%d;", second),
			} {
				if !strings.Contains(message, want) {
					t.Errorf("%s: %q does not mention %q", kind, message, want)
				}
			}
		}
	}
}

func TestNameEmpty(t *testing.T) {
	t.Parallel()
	for kind, register := range registrations {
		message, line := panics(t, register, "")
		if !strings.Contains(message, "empty name") || !strings.Contains(message, fmt.Sprintf("register_test.go:%d ", line)) {
			t.Errorf("%s: %q", kind, message)
		}
	}
}

// TestRegisterAfterMain: Main has run in this process.
func TestRegisterAfterMain(t *testing.T) {
	t.Parallel()
	for kind, register := range registrations {
		message, line := panics(t, register, "register-late")
		for _, want := range []string{"register-late", "after mapper.Main", fmt.Sprintf("register_test.go:%d ", line)} {
			if !strings.Contains(message, want) {
				t.Errorf("%s: %q does not mention %q", kind, message, want)
			}
		}
	}
}
