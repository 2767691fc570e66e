package serialize

import (
	"fmt"
	"reflect"
)

// placed is an error with the path to the field it happened at.
type placed struct {
	path string
	err  error
}

func (e *placed) Error() string { return "field " + e.path + ": " + e.err.Error() }
func (e *placed) Unwrap() error { return e.err }

// at puts a field's name in front of err's path.
func at(field string, err error) error {
	if inner, ok := err.(*placed); ok { //nolint:errorlint // one deeper inside is part of another's message
		return &placed{field + "." + inner.path, inner.err}
	}
	return &placed{field, err}
}

// mismatch is the error for a value that the destination cannot hold.
func mismatch(t token, want reflect.Type) error {
	if t.form == formExt {
		return fmt.Errorf("extension %d does not fit in %s", t.ext, want)
	}
	return fmt.Errorf("%s does not fit in %s", t.form, want)
}

// typeName names the type that v holds or points to.
func typeName(v any) string {
	t := reflect.TypeOf(v)
	switch {
	case t == nil:
		return "nil"
	case t.Kind() == reflect.Pointer:
		return t.Elem().String()
	}
	return t.String()
}
