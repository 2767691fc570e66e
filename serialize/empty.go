package serialize

import (
	"math"
	"reflect"
)

// isEmpty tells whether a field with omitempty is left out: where it is false, zero, nil, of length zero, a struct that
// would have no field left, or where its IsZero method says so. It differs from msgpack's rule for -0, which is sent, and
// for structs with an encoding of their own, which msgpack takes for empty when they export no field.
func isEmpty(v reflect.Value, p *plan) bool {
	for v.Kind() == reflect.Interface {
		if v.IsNil() {
			return true
		}
		v = v.Elem()
		p = planOf(v.Type())
	}
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return true
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		if p.fields != nil {
			return p.fields.count(v) == 0
		}
	case reflect.Float32, reflect.Float64:
		return v.Float() == 0 && !math.Signbit(v.Float())
	case reflect.Pointer:
		return false
	}
	return v.IsZero()
}
