package registry

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// panics returns what f panics with.
func panics(f func()) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

// TestRegistry goes through a program's life: functions are added, found, and at last no more are taken. It is one test,
// since a program has one registry, which is sealed for good.
func TestRegistry(t *testing.T) {
	if Find("a") != nil || len(Names()) != 0 || Sealed() {
		t.Fatal("a new registry is not empty")
	}
	a, b := &Function{Name: "a", Where: "here.go:1"}, &Function{Name: "b", Where: "here.go:2"}
	Add(b)
	Add(a)
	if Find("a") != a || Find("b") != b || Find("") != nil || Find("c") != nil {
		t.Error("functions are not found by their names")
	}
	if names := Names(); !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("names %q", names)
	}
	for _, c := range []struct {
		f    *Function
		says []string
	}{
		{&Function{Name: "a", Where: "there.go:3"}, []string{`"a"`, "here.go:1", "there.go:3"}},
		{&Function{Where: "there.go:4"}, []string{"empty name", "there.go:4"}},
	} {
		text := panics(func() { Add(c.f) })
		for _, s := range c.says {
			if !strings.Contains(text, s) {
				t.Errorf("adding %+v panics with %q, which lacks %q", c.f, text, s)
			}
		}
	}
	if Find("a") != a {
		t.Error("a refused function took the other's place")
	}

	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			name := fmt.Sprintf("c%02d", i)
			Add(&Function{Name: name})
			if f := Find(name); f == nil || len(Names()) < 3 {
				t.Errorf("%s is not found", name)
			}
		})
	}
	all.Wait()

	Seal()
	Seal()
	if !Sealed() {
		t.Error("the registry is not sealed")
	}
	text := panics(func() { Add(&Function{Name: "late", Where: "late.go:5"}) })
	for _, s := range []string{`"late"`, "late.go:5", "mapper.Main"} {
		if !strings.Contains(text, s) {
			t.Errorf("adding to a sealed registry panics with %q, which lacks %q", text, s)
		}
	}
	if Find("late") != nil || Find("a") != a {
		t.Error("a sealed registry changed")
	}
}

// TestMarks: the marks of errors say what the errors say, and lead to them.
func TestMarks(t *testing.T) {
	t.Parallel()
	for _, err := range []error{&DecodeError{io.ErrUnexpectedEOF}, &EncodeError{io.ErrUnexpectedEOF}} {
		if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != io.ErrUnexpectedEOF.Error() {
			t.Errorf("%T: %v", err, err)
		}
	}
}
