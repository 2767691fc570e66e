package serialize

import (
	"errors"
	"fmt"
	"reflect"
)

func interfacePlan(t reflect.Type) (encodeFunc, decodeFunc) {
	switch {
	case t == reflect.TypeFor[error]():
		return encodeError, decodeError
	case t.NumMethod() == 0:
		return encodeInterface, decodeInterface
	}
	refuse := func(held string) error {
		return fmt.Errorf("%sa decoder cannot know which type to make for the interface %s: use a concrete type", held, t)
	}
	enc := func(c *Coder, v reflect.Value) error {
		if v.IsNil() {
			c.out.b = append(c.out.b, codeNil)
			return nil
		}
		return refuse(v.Elem().Type().String() + ": ")
	}
	return enc, func(*Coder, reflect.Value) error { return refuse("") }
}

// encodeError sends an error's text: what comes back has the same text and another type.
func encodeError(c *Coder, v reflect.Value) (err error) {
	if v.IsNil() || v.Elem().Kind() == reflect.Pointer && v.Elem().IsNil() {
		c.out.b = append(c.out.b, codeNil)
		return nil
	}
	c.out.b, err = appendString(c.out.b, v.Interface().(error).Error())
	return err
}

func decodeError(c *Coder, v reflect.Value) error {
	b, err := c.text(v.Type())
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(errors.New(string(b))))
	return nil
}

// encodeInterface encodes what an interface without methods holds. Numbers carry their type, for no static type will tell
// the decoder; int, float32 and float64 need no mark, being what plain msgpack numbers decode to.
func encodeInterface(c *Coder, v reflect.Value) (err error) {
	if v.IsNil() {
		c.out.b = append(c.out.b, codeNil)
		return nil
	}
	switch x := v.Interface().(type) { // without a copy in the heap
	case string:
		c.out.b, err = appendString(c.out.b, x)
		return err
	case int:
		c.out.b = appendInt(c.out.b, int64(x))
		return nil
	case float64:
		c.out.b = appendFloat64(c.out.b, x)
		return nil
	case bool:
		c.out.b = appendBool(c.out.b, x)
		return nil
	}
	return c.encodeDynamic(v.Elem())
}

func (c *Coder) encodeDynamic(v reflect.Value) error {
	links := c.links
	c.dynamic++
	if err := c.follow(); err != nil {
		return err
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			c.out.b = append(c.out.b, codeNil)
			break
		}
		if err := c.follow(); err != nil {
			return err
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Pointer {
		v = addressable(v)
		p := planOf(v.Type())
		switch e := elementOf(v.Kind()); {
		case p.custom, e == 0, e == elemInt, e == elemFloat32, e == elemFloat64:
			if err := p.enc(c, v); err != nil {
				return err
			}
		default:
			c.out.b = appendTypedNumber(c.out.b, v, e)
		}
	}
	c.links = links
	c.dynamic--
	return nil
}

func decodeInterface(c *Coder, v reflect.Value) error {
	x, err := c.decodeAny()
	if err != nil {
		return err
	}
	if x == nil {
		v.SetZero()
		return nil
	}
	v.Set(reflect.ValueOf(x))
	return nil
}
