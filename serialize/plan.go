package serialize

import (
	"fmt"
	"reflect"
	"sync"
	"time"
)

type (
	// encodeFunc appends v, which can be addressed, to c.out.
	encodeFunc func(c *Coder, v reflect.Value) error
	// decodeFunc sets v from c.in at c.pos, where there is no nil.
	decodeFunc func(c *Coder, v reflect.Value) error
)

// plan is how a type is encoded and decoded. It is made once a type. Plans are this package's own, and msgpack's registry
// of types, which the whole program shares, is neither read nor written.
type plan struct {
	typ    reflect.Type
	enc    encodeFunc
	dec    decodeFunc
	custom bool        // the type has its own encoding
	fields *structPlan // of a struct that has not
}

// decode sets v to the next value, whatever it is. Nil is the zero value of any type.
func (p *plan) decode(c *Coder, v reflect.Value) error {
	if c.pos < len(c.in) && c.in[c.pos] == codeNil {
		c.pos++
		v.SetZero()
		return nil
	}
	return p.dec(c, v)
}

var plans sync.Map // reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	b := planner{made: map[reflect.Type]*plan{}}
	p := b.plan(t)
	for t, made := range b.made {
		plans.LoadOrStore(t, made)
	}
	return p
}

// planner makes the plans of a type and of all types in it. They are published when all are complete, so that no other
// goroutine sees the half-made plan of a recursive type.
type planner struct {
	made map[reflect.Type]*plan
}

func (b *planner) plan(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	if p, ok := b.made[t]; ok {
		return p
	}
	p := &plan{typ: t}
	b.made[t] = p
	b.fill(p)
	return p
}

func (b *planner) fill(p *plan) {
	t := p.typ
	if t == reflect.TypeFor[time.Time]() {
		p.enc, p.dec = encodeTime, decodeTime
		return
	}
	if b.fillCustom(p) {
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		p.enc, p.dec = encodeBool, decodeBool
	case reflect.String:
		p.enc, p.dec = encodeString, decodeString
	case reflect.Pointer:
		p.enc, p.dec = pointerPlan(t, b.plan(t.Elem()))
	case reflect.Interface:
		p.enc, p.dec = interfacePlan(t)
	case reflect.Slice:
		b.fillSlice(p)
	case reflect.Array:
		b.fillArray(p)
	case reflect.Map:
		b.fillMap(p)
	case reflect.Struct:
		b.fillStruct(p)
	default:
		if e := elementOf(t.Kind()); e != 0 {
			p.enc, p.dec = numberPlan(e)
			return
		}
		p.refuse("%s cannot be sent: leave it out with the tag `msgpack:\"-\"`, or send what it is made from", t)
	}
}

// refuse makes p fail in both directions. The failure comes when a value is met, for the type may be one that a program
// declares and never fills.
func (p *plan) refuse(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	p.enc = func(*Coder, reflect.Value) error { return err }
	p.dec = decodeFunc(p.enc)
}

// pointerPlan encodes what a pointer points to. Two pointers to one value become two values.
func pointerPlan(t reflect.Type, elem *plan) (encodeFunc, decodeFunc) {
	enc := func(c *Coder, v reflect.Value) error {
		if v.IsNil() {
			c.out.b = append(c.out.b, codeNil)
			return nil
		}
		if err := c.follow(); err != nil {
			return err
		}
		start := len(c.out.b)
		if err := elem.enc(c, v.Elem()); err != nil {
			return err
		}
		if c.out.b[start] == codeNil {
			return fmt.Errorf("a %s that points to nil cannot be told from a nil pointer: use %s itself", t, t.Elem())
		}
		c.unfollow()
		return nil
	}
	dec := func(c *Coder, v reflect.Value) error {
		if err := c.follow(); err != nil {
			return err
		}
		p := reflect.New(t.Elem())
		if err := elem.decode(c, p.Elem()); err != nil {
			return err
		}
		v.Set(p)
		c.unfollow()
		return nil
	}
	return enc, dec
}
