package serialize

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
)

// decodeAny reads the next value into the Go type that its form on the wire stands for.
func (c *Coder) decodeAny() (any, error) {
	t, err := c.head()
	if err != nil {
		return nil, err
	}
	switch t.form {
	case formNil:
		return nil, nil
	case formBool:
		return t.bits != 0, nil
	case formInt, formUint:
		return anyInteger(t), nil
	case formFloat32:
		return math.Float32frombits(uint32(t.bits)), nil
	case formFloat64:
		return math.Float64frombits(t.bits), nil
	case formStr:
		return string(c.payload(t)), nil
	case formBin:
		return bytes.Clone(c.payload(t)), nil
	case formArray:
		return c.decodeAnySlice(t.n)
	case formMap:
		return c.decodeAnyMap(t.n)
	}
	return c.decodeAnyExt(t)
}

// anyInteger returns an int, or a wider type where int is too small.
func anyInteger(t token) any {
	i := int64(t.bits)
	switch {
	case t.form == formUint && i < 0:
		return t.bits
	case int64(int(i)) == i:
		return int(i)
	}
	return i
}

func (c *Coder) decodeAnySlice(n int) (any, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	s := make([]any, n)
	for i := range s {
		var err error
		if s[i], err = c.decodeAny(); err != nil {
			return nil, err
		}
	}
	c.leave()
	return s, nil
}

// decodeAnyMap returns a map[string]any where all keys are strings or bytes, and a map[any]any otherwise.
func (c *Coder) decodeAnyMap(n int) (any, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	named := make(map[string]any, n)
	var mixed map[any]any
	for range n {
		key, err := c.decodeAnyKey()
		if err != nil {
			return nil, err
		}
		value, err := c.decodeAny()
		if err != nil {
			return nil, err
		}
		name, isName := key.(string)
		if mixed == nil && !isName {
			mixed = make(map[any]any, n)
			for k, v := range named {
				mixed[k] = v
			}
		}
		if mixed != nil {
			mixed[key] = value
		} else {
			named[name] = value
		}
	}
	c.leave()
	if mixed != nil {
		return mixed, nil
	}
	return named, nil
}

func (c *Coder) decodeAnyKey() (any, error) {
	key, err := c.decodeAny()
	if err != nil {
		return nil, err
	}
	if b, ok := key.([]byte); ok {
		return string(b), nil
	}
	if key != nil && !reflect.TypeOf(key).Comparable() {
		return nil, fmt.Errorf("%T cannot be the key of a map", key)
	}
	return key, nil
}

func (c *Coder) decodeAnyExt(t token) (any, error) {
	payload := c.payload(t)
	switch t.ext {
	case extTime, extZoned:
		return timeOf(t.ext, payload)
	case extScalar:
		_, e, err := scalarPayload(payload)
		if err != nil {
			return nil, err
		}
		s, err := anyNumbers(e, payload[1:])
		if err != nil {
			return nil, err
		}
		return s.Index(0).Interface(), nil
	case extSlice:
		e, payload, err := numericPayload(payload)
		if err != nil {
			return nil, err
		}
		s, err := anyNumbers(e, payload)
		if err != nil {
			return nil, err
		}
		return s.Interface(), nil
	}
	return nil, fmt.Errorf("unknown extension %d", t.ext)
}

// anyNumbers returns a slice of e.
func anyNumbers(e element, payload []byte) (reflect.Value, error) {
	t := reflect.SliceOf(elements[e].typ)
	s := reflect.New(t).Elem()
	return s, storeNumbers(s, t, e, e, payload)
}
