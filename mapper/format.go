package mapper

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"
)

// Pair is a key and what was made of its values. As JSON it is {"key":…,"value":…}.
type Pair[K cmp.Ordered, V any] struct {
	Key   K `json:"key"`
	Value V `json:"value"`
}

// newFormat returns how results are written to an object: bytes and strings as they are, one after another; all others as
// lines of JSON, a [Pair] each.
func newFormat[K cmp.Ordered, Out any]() func(w io.Writer, k K, out *Out) error {
	switch t := reflect.TypeFor[Out](); {
	case t.Kind() == reflect.String:
		return func(w io.Writer, _ K, out *Out) error {
			_, err := io.WriteString(w, reflect.ValueOf(out).Elem().String())
			return err
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return func(w io.Writer, _ K, out *Out) error {
			_, err := w.Write(reflect.ValueOf(out).Elem().Bytes())
			return err
		}
	}
	return func(w io.Writer, k K, out *Out) error {
		line, err := json.Marshal(Pair[K, *Out]{k, out})
		if err != nil {
			return fmt.Errorf("the result of key %v cannot be written as JSON: %w", k, err)
		}
		if replaced(line) || !utf8.ValidString(fmt.Sprint(k)) {
			return fmt.Errorf("the result of key %q cannot be written as JSON, since not all of it is UTF-8 (or it brings an escaped \\ufffd along): return bytes instead", fmt.Sprint(k))
		}
		_, err = w.Write(append(line, '\n'))
		return err
	}
}

// replaced reports whether json.Marshal has replaced bytes that are not UTF-8. It writes them as \ufffd; a replacement
// character of the text itself it does not escape.
func replaced(line []byte) bool {
	for {
		i := bytes.Index(line, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		before := len(line[:i]) - len(bytes.TrimRight(line[:i], `\`))
		if before%2 == 0 { // else the backslash is one of the text
			return true
		}
		line = line[i+1:]
	}
}
