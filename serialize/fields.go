package serialize

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// field is a field that is sent.
type field struct {
	name      string
	aliases   []string
	index     []int // through embedded structs
	typ       reflect.Type
	omitEmpty bool
	// throughPointer marks a field of a struct embedded by pointer. It is left out where that pointer is nil, and never
	// otherwise, empty or not: its presence tells the decoder that the pointer was not nil.
	throughPointer bool
}

// layout is what of a struct is sent. Its rules are those of msgpack, but where those lose fields.
type layout struct {
	fields  []field
	asArray bool
	hidden  int // unexported fields, which are not sent
	err     error
}

// collect lists the fields of t. Within are the structs that t is being embedded in.
func (b *planner) collect(t reflect.Type, within []reflect.Type) layout {
	var l layout
	omitAll := false
	if f, ok := t.FieldByName("_msgpack"); ok && len(f.Index) == 1 {
		_, options := parseTag(f)
		l.asArray = slices.Contains(options, "as_array") || slices.Contains(options, "asArray")
		omitAll = slices.Contains(options, "omitempty")
	}
	within = append(within, t)
	taken := map[string]bool{} // names of t's own fields, which an embedded struct must not shadow
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _ := parseTag(f); name != "-" && !f.Anonymous && f.IsExported() {
			taken[nameOf(f, name)] = true
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options := parseTag(f)
		if name == "-" || f.Name == "_" || f.Name == "_msgpack" {
			continue
		}
		if f.Anonymous && !slices.Contains(options, "noinline") {
			inner, ok := b.inline(f, l.asArray, within, taken)
			if ok {
				l.fields = append(l.fields, inner.fields...)
				l.err = firstOf(l.err, inner.err)
				continue
			}
		}
		if !f.IsExported() {
			l.hidden++
			if f.Anonymous && derefStruct(f.Type) != nil {
				l.err = firstOf(l.err, fmt.Errorf("the embedded %s cannot be set from outside its package: export it, or name the field", f.Type))
			}
			continue
		}
		own := field{name: nameOf(f, name), index: f.Index, typ: f.Type}
		own.omitEmpty = omitAll || slices.Contains(options, "omitempty")
		for _, o := range options {
			if alias, ok := strings.CutPrefix(o, "alias:"); ok {
				own.aliases = append(own.aliases, alias)
			}
		}
		l.fields = append(l.fields, own)
	}
	return l
}

// inline lists the fields of an embedded struct as fields of the struct around it, or says that it is to be a field of
// its own: where it has an encoding of its own, or a name of its fields is taken. (msgpack would lose the field whose
// name is taken.)
func (b *planner) inline(f reflect.StructField, asArray bool, within []reflect.Type, taken map[string]bool) (layout, bool) {
	t := derefStruct(f.Type)
	if t == nil || slices.Contains(within, t) || customOf(t).any() {
		return layout{}, false
	}
	pointer := f.Type.Kind() == reflect.Pointer
	if pointer && (asArray || !f.IsExported()) {
		return layout{}, false
	}
	inner := b.collect(t, within)
	conditional := func(g field) bool { return g.throughPointer } // it is not there where a pointer on the way is nil
	switch {
	case inner.asArray:
		return layout{}, false
	case asArray && slices.ContainsFunc(inner.fields, conditional): // an array has a place for each field, always
		return layout{}, false
	case pointer && !slices.ContainsFunc(inner.fields, func(g field) bool { return !conditional(g) }):
		return layout{}, false // no field would tell that the pointer was not nil
	}
	for _, g := range inner.fields {
		if taken[g.name] || slices.ContainsFunc(g.aliases, func(alias string) bool { return taken[alias] }) {
			return layout{}, false
		}
	}
	for i, g := range inner.fields {
		taken[g.name] = true
		inner.fields[i].index = append(slices.Clone(f.Index), g.index...)
		inner.fields[i].throughPointer = g.throughPointer || pointer
	}
	return inner, true
}

// derefStruct returns the struct type that t is or points to, or nil.
func derefStruct(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

func nameOf(f reflect.StructField, tag string) string {
	if tag != "" {
		return tag
	}
	return f.Name
}

// parseTag splits the msgpack tag into name and options.
func parseTag(f reflect.StructField) (string, []string) {
	name, rest, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
	if rest == "" {
		return name, nil
	}
	return name, strings.Split(rest, ",")
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
