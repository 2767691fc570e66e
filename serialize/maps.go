package serialize

import (
	"fmt"
	"reflect"
	"unsafe"
)

func (b *planner) fillMap(p *plan) {
	key, elem := b.plan(p.typ.Key()), b.plan(p.typ.Elem())
	if key.typ.Kind() == reflect.Pointer {
		p.refuse("%s: pointers do not arrive as the keys they were: use what they point to", p.typ)
		return
	}
	m := &mapPlan{typ: p.typ, key: key, elem: elem, order: orderOf(key)}
	p.enc, p.dec = m.encode, m.decode
	if key.typ == reflect.TypeFor[string]() {
		switch elem.typ { // not what is named after them: its methods, if it has any, are the general way's to call
		case reflect.TypeFor[int]():
			p.enc, p.dec = wordMap(m, func(dst []byte, n int) ([]byte, error) { return appendInt(dst, int64(n)), nil }, (*Coder).int)
		case reflect.TypeFor[float64]():
			p.enc, p.dec = wordMap(m, func(dst []byte, f float64) ([]byte, error) { return appendFloat64(dst, f), nil }, (*Coder).float64)
		case reflect.TypeFor[string]():
			p.enc, p.dec = wordMap(m, appendString, (*Coder).string)
		}
	}
}

// mapPlan is for maps. Entries are written in the order of their keys, so that one value has one encoding.
type mapPlan struct {
	typ       reflect.Type
	key, elem *plan
	order     keyOrder
}

func (m *mapPlan) encode(c *Coder, v reflect.Value) error {
	if v.IsNil() {
		c.out.b = append(c.out.b, codeNil)
		return nil
	}
	if err := c.enter(); err != nil {
		return err
	}
	n := v.Len()
	keys := reflect.MakeSlice(reflect.SliceOf(m.key.typ), n, n)
	elems := reflect.MakeSlice(reflect.SliceOf(m.elem.typ), n, n)
	i := 0
	for it := v.MapRange(); it.Next(); i++ {
		keys.Index(i).SetIterKey(it)
		elems.Index(i).SetIterValue(it)
	}
	sorted, written, err := c.sortKeys(m, keys)
	if err != nil {
		return err
	}
	if c.out.b, err = appendMapHead(c.out.b, n); err != nil {
		return err
	}
	for _, k := range sorted {
		if written != nil {
			c.out.b = append(c.out.b, written.key(k.at)...)
		} else if err := m.key.enc(c, keys.Index(k.at)); err != nil {
			return err
		}
		if err := m.elem.enc(c, elems.Index(k.at)); err != nil {
			return err
		}
	}
	c.leave()
	return nil
}

func (m *mapPlan) decode(c *Coder, v reflect.Value) error {
	n, err := c.mapHead(m.typ)
	if err != nil {
		return err
	}
	made := reflect.MakeMapWithSize(m.typ, n)
	key, elem := reflect.New(m.key.typ).Elem(), reflect.New(m.elem.typ).Elem()
	for range n {
		key.SetZero()
		elem.SetZero()
		if err := m.key.decode(c, key); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		if !key.Comparable() {
			return fmt.Errorf("map key: %v cannot be the key of a map", key.Type())
		}
		if err := m.elem.decode(c, elem); err != nil {
			return err
		}
		made.SetMapIndex(key, elem)
	}
	c.leave()
	v.Set(made)
	return nil
}

func (c *Coder) mapHead(want reflect.Type) (int, error) {
	if err := c.enter(); err != nil {
		return 0, err
	}
	t, err := c.head()
	if err != nil {
		return 0, err
	}
	if t.form != formMap {
		return 0, mismatch(t, want)
	}
	return t.n, nil
}

// wordMap is the way of mapPlan without reflection, for the maps that hold the most entries in practice.
func wordMap[V any](m *mapPlan, put func([]byte, V) ([]byte, error), get func(*Coder) (V, error)) (encodeFunc, decodeFunc) {
	enc := func(c *Coder, v reflect.Value) (err error) {
		words := *(*map[string]V)(v.Addr().UnsafePointer())
		if words == nil {
			c.out.b = append(c.out.b, codeNil)
			return nil
		}
		if err := c.enter(); err != nil {
			return err
		}
		if c.out.b, err = appendMapHead(c.out.b, len(words)); err != nil {
			return err
		}
		keys, elems := make([]string, 0, len(words)), make([]V, 0, len(words))
		size := 0
		for k, e := range words {
			keys, elems = append(keys, k), append(elems, e)
			size += len(k) + 5 + int(unsafe.Sizeof(e))
		}
		c.out.b = growFor(c.out.b, size)
		for _, k := range sortWords(keys) {
			if c.out.b, err = appendString(c.out.b, keys[k.at]); err != nil {
				return err
			}
			if c.out.b, err = put(c.out.b, elems[k.at]); err != nil {
				return err
			}
		}
		c.leave()
		return nil
	}
	dec := func(c *Coder, v reflect.Value) error {
		n, err := c.mapHead(m.typ)
		if err != nil {
			return err
		}
		words := make(map[string]V, n)
		for range n {
			k, err := c.string()
			if err != nil {
				return fmt.Errorf("map key: %w", err)
			}
			if words[k], err = get(c); err != nil {
				return err
			}
		}
		c.leave()
		*(*map[string]V)(v.Addr().UnsafePointer()) = words
		return nil
	}
	return enc, dec
}
