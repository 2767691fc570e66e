package serialize

import (
	"fmt"
	"reflect"
)

func (b *planner) fillSlice(p *plan) {
	t := p.typ
	elem := b.plan(t.Elem())
	switch e := elementOf(t.Elem().Kind()); {
	case e == elemUint8 && !elem.custom:
		p.enc, p.dec = encodeByteSlice, decodeByteSlice
	case e != 0 && !elem.custom:
		p.enc, p.dec = numericPlan(t, e)
	default:
		p.enc, p.dec = slicePlan(t, elem)
	}
}

func (b *planner) fillArray(p *plan) {
	elem := b.plan(p.typ.Elem())
	if p.typ.Elem().Kind() == reflect.Uint8 && !elem.custom {
		p.enc, p.dec = encodeByteArray, decodeByteArray
		return
	}
	p.enc, p.dec = arrayPlan(p.typ, elem)
}

// slicePlan is for slices of anything but plain numbers.
func slicePlan(t reflect.Type, elem *plan) (encodeFunc, decodeFunc) {
	enc := func(c *Coder, v reflect.Value) error {
		if v.IsNil() {
			c.out.b = append(c.out.b, codeNil)
			return nil
		}
		return c.encodeElements(v, elem)
	}
	dec := func(c *Coder, v reflect.Value) error {
		tok, err := c.head()
		if err != nil {
			return err
		}
		switch {
		case tok.form == formArray:
		case tok.form == formExt && tok.ext == extSlice && elem.custom:
			return fmt.Errorf("plain numbers do not fit in %s, whose elements have an encoding of their own", t)
		default:
			return mismatch(tok, t)
		}
		s := reflect.MakeSlice(t, tok.n, tok.n)
		if err := c.decodeElements(s, elem); err != nil {
			return err
		}
		v.Set(s)
		return nil
	}
	return enc, dec
}

func arrayPlan(t reflect.Type, elem *plan) (encodeFunc, decodeFunc) {
	enc := func(c *Coder, v reflect.Value) error { return c.encodeElements(v, elem) }
	dec := func(c *Coder, v reflect.Value) error {
		tok, err := c.head()
		if err != nil {
			return err
		}
		if tok.form != formArray {
			return mismatch(tok, t)
		}
		if tok.n != t.Len() {
			return fmt.Errorf("%d elements do not fit in %s", tok.n, t)
		}
		return c.decodeElements(v, elem)
	}
	return enc, dec
}

func (c *Coder) encodeElements(v reflect.Value, elem *plan) (err error) {
	if err := c.enter(); err != nil {
		return err
	}
	n := v.Len()
	if c.out.b, err = appendArrayHead(c.out.b, n); err != nil {
		return err
	}
	for i := range n {
		if err := elem.enc(c, v.Index(i)); err != nil {
			return err
		}
	}
	c.leave()
	return nil
}

func (c *Coder) decodeElements(v reflect.Value, elem *plan) error {
	if err := c.enter(); err != nil {
		return err
	}
	for i := range v.Len() {
		if err := elem.decode(c, v.Index(i)); err != nil {
			return err
		}
	}
	c.leave()
	return nil
}

func encodeByteSlice(c *Coder, v reflect.Value) (err error) {
	if v.IsNil() {
		c.out.b = append(c.out.b, codeNil)
		return nil
	}
	c.out.b, err = appendBytes(c.out.b, v.Bytes())
	return err
}

func decodeByteSlice(c *Coder, v reflect.Value) error {
	if t, err := scan(c.in[c.pos:]); err == nil && t.form == formArray {
		c.pos += t.size
		return c.decodeNumbers(v, v.Type(), t.n)
	}
	b, err := c.text(v.Type())
	if err != nil {
		return err
	}
	v.SetBytes(append(make([]byte, 0, len(b)), b...))
	return nil
}

func encodeByteArray(c *Coder, v reflect.Value) (err error) {
	c.out.b, err = appendBytes(c.out.b, v.Bytes())
	return err
}

func decodeByteArray(c *Coder, v reflect.Value) error {
	b, err := c.text(v.Type())
	if err != nil {
		return err
	}
	if len(b) != v.Len() {
		return fmt.Errorf("%d bytes do not fit in %s", len(b), v.Type())
	}
	copy(v.Bytes(), b)
	return nil
}
