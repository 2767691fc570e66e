package serialize

import (
	"fmt"
	"reflect"
)

// structPlan is a struct's fields with what is needed to write and read each.
type structPlan struct {
	typ     reflect.Type
	fields  []plannedField
	byName  map[string]int
	asArray bool
	varies  bool // some field may be left out
}

type plannedField struct {
	field
	head []byte // the encoded name
	plan *plan
}

func (b *planner) fillStruct(p *plan) {
	l := b.collect(p.typ, nil)
	if len(l.fields) == 0 && l.hidden > 0 && l.err == nil {
		l.err = fmt.Errorf("%s has no exported field, so nothing of it would arrive: export fields, give it MarshalBinary and UnmarshalBinary, or leave it out with the tag `msgpack:\"-\"`", p.typ)
	}
	s := &structPlan{typ: p.typ, asArray: l.asArray, byName: map[string]int{}}
	for i, f := range l.fields {
		head, err := appendString(nil, f.name)
		l.err = firstOf(l.err, err)
		s.fields = append(s.fields, plannedField{field: f, head: head, plan: b.plan(f.typ)})
		s.varies = s.varies || f.omitEmpty || f.throughPointer
		for _, name := range append([]string{f.name}, f.aliases...) {
			if _, taken := s.byName[name]; taken {
				l.err = firstOf(l.err, fmt.Errorf("two fields of %s are named %q", p.typ, name))
			}
			s.byName[name] = i
		}
	}
	if l.err != nil {
		p.refuse("%w", l.err)
		return
	}
	p.enc, p.dec, p.fields = s.encode, s.decode, s
}

func (s *structPlan) encode(c *Coder, v reflect.Value) (err error) {
	if err := c.enter(); err != nil {
		return err
	}
	if s.asArray {
		c.out.b, err = appendArrayHead(c.out.b, len(s.fields))
	} else {
		c.out.b, err = appendMapHead(c.out.b, s.count(v))
	}
	if err != nil {
		return err
	}
	for i := range s.fields {
		f := &s.fields[i]
		fv, sent := f.of(v)
		if !s.asArray {
			if !sent {
				continue
			}
			c.out.b = append(c.out.b, f.head...)
		}
		if err := f.plan.enc(c, fv); err != nil {
			return at(f.name, err)
		}
	}
	c.leave()
	return nil
}

// count returns how many fields of v are sent.
func (s *structPlan) count(v reflect.Value) int {
	if !s.varies {
		return len(s.fields)
	}
	n := 0
	for i := range s.fields {
		if _, sent := s.fields[i].of(v); sent {
			n++
		}
	}
	return n
}

// of returns the field's value in v, and whether it is sent.
func (f *plannedField) of(v reflect.Value) (reflect.Value, bool) {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, f.throughPointer || !f.omitEmpty || !isEmpty(v, f.plan)
}

func (s *structPlan) decode(c *Coder, v reflect.Value) error {
	if err := c.enter(); err != nil {
		return err
	}
	t, err := c.head()
	if err != nil {
		return err
	}
	switch t.form {
	case formMap:
		err = s.decodeMap(c, v, t.n)
	case formArray:
		err = s.decodeArray(c, v, t.n)
	default:
		err = mismatch(t, s.typ)
	}
	c.leave()
	return err
}

func (s *structPlan) decodeMap(c *Coder, v reflect.Value, n int) error {
	for next := range n {
		name, err := c.text(reflect.TypeFor[string]())
		if err != nil {
			return fmt.Errorf("field name: %w", err)
		}
		// Fields mostly come in the order of the struct.
		i, known := next, next < len(s.fields) && s.fields[next].name == string(name)
		if !known {
			i, known = s.byName[string(name)]
		}
		if !known {
			if err := c.skip(); err != nil {
				return err
			}
			continue
		}
		if err := s.fields[i].decode(c, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *structPlan) decodeArray(c *Coder, v reflect.Value, n int) error {
	if n != len(s.fields) {
		return fmt.Errorf("%d values where %s has %d fields", n, s.typ, len(s.fields))
	}
	for i := range s.fields {
		if err := s.fields[i].decode(c, v); err != nil {
			return err
		}
	}
	return nil
}

func (f *plannedField) decode(c *Coder, v reflect.Value) error {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	if err := f.plan.decode(c, v); err != nil {
		return at(f.name, err)
	}
	return nil
}

// skip passes over the next value, which has been checked.
func (c *Coder) skip() error {
	n, err := c.checker.value(c.in[c.pos:], c.depth)
	c.pos += n
	return err
}
