// Package clone makes deep copies of decoded claims.
package clone

import (
	"encoding"
	"encoding/json"
	"reflect"
	"time"
)

// A Cloner makes deep copies of values of one type: a change of the copy does not
// change the original. The zero Cloner is for types without references.
type Cloner struct{ detach detacher }

// For returns the Cloner for values of type t. It reports false if such values
// cannot be copied safely: they hold interfaces, functions, unexported references,
// or references that an UnmarshalJSON or UnmarshalText of theirs may have set.
func For(t reflect.Type) (Cloner, bool) {
	detach, ok := detacherOf(t, 0)
	return Cloner{detach}, ok
}

// Clone returns a deep copy of v, whose type must be the one that c is for.
func Clone[T any](c Cloner, v T) T {
	if c.detach != nil {
		c.detach(reflect.ValueOf(&v).Elem())
	}
	return v
}

// A detacher replaces everything that a shallow copy refers to by copies. It is
// nil for types without references.
type detacher func(copied reflect.Value)

// maxDepth bounds how deeply types are inspected, because types can be recursive.
const maxDepth = 8

// detacherOf returns the detacher for values of t, which is depth levels inside
// the type to clone, and false if there is none.
func detacherOf(t reflect.Type, depth int) (detach detacher, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	if t == reflect.TypeFor[time.Time]() {
		return nil, true // its location never changes
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil, true
	case reflect.Struct:
		detach, ok = fieldsDetacher(t, depth)
	case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
		detach, ok = elementsDetacher(t, depth)
	}
	if detach != nil && setsReferences(t, depth) {
		return nil, false
	}
	return detach, ok
}

// setsReferences reports whether t, a type with references, has a method that decodes
// JSON or text. Such a method may store pointers to shared values of the application,
// which must not be copied. In a slice of plain values, such as a [json.RawMessage],
// there are no pointers.
func setsReferences(t reflect.Type, depth int) bool {
	pointer := reflect.PointerTo(t)
	if !pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) && !pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return false
	}
	if t.Kind() != reflect.Slice {
		return true
	}
	elements, _ := detacherOf(t.Elem(), depth+1)
	return elements != nil
}

func fieldsDetacher(t reflect.Type, depth int) (detacher, bool) {
	type reference struct {
		field  int
		detach detacher
	}
	var references []reference
	for i := range t.NumField() {
		field := t.Field(i)
		detach, ok := detacherOf(field.Type, depth+1)
		// An unexported field cannot be set, except the fields of an embedded struct.
		settable := field.IsExported() || field.Anonymous && field.Type.Kind() == reflect.Struct
		if !ok || detach != nil && !settable {
			return nil, false
		}
		if detach != nil {
			references = append(references, reference{i, detach})
		}
	}
	if references == nil {
		return nil, true
	}
	return func(copied reflect.Value) {
		for _, r := range references {
			r.detach(copied.Field(r.field))
		}
	}, true
}

func elementsDetacher(t reflect.Type, depth int) (detacher, bool) {
	detach, ok := detacherOf(t.Elem(), depth+1)
	if !ok {
		return nil, false
	}
	switch t.Kind() {
	case reflect.Array:
		if detach == nil {
			return nil, true
		}
		return func(copied reflect.Value) { detach.each(copied) }, true
	case reflect.Slice:
		return func(copied reflect.Value) {
			if !copied.IsNil() {
				own := reflect.MakeSlice(t, copied.Len(), copied.Len())
				reflect.Copy(own, copied)
				detach.each(own)
				copied.Set(own)
			}
		}, true
	case reflect.Pointer:
		return func(copied reflect.Value) {
			if !copied.IsNil() {
				copied.Set(detach.fresh(copied.Elem()).Addr())
			}
		}, true
	case reflect.Map:
		if key, ok := detacherOf(t.Key(), depth+1); !ok || key != nil {
			return nil, false
		}
		return func(copied reflect.Value) {
			if !copied.IsNil() {
				own := reflect.MakeMapWithSize(t, copied.Len())
				for key, element := range copied.Seq2() {
					own.SetMapIndex(key, detach.fresh(element))
				}
				copied.Set(own)
			}
		}, true
	}
	return nil, false
}

// each detaches the elements of a slice or an array.
func (d detacher) each(of reflect.Value) {
	if d != nil {
		for i := range of.Len() {
			d(of.Index(i))
		}
	}
}

// fresh returns a deep copy of element in newly allocated memory.
func (d detacher) fresh(element reflect.Value) reflect.Value {
	own := reflect.New(element.Type()).Elem()
	own.Set(element)
	if d != nil {
		d(own)
	}
	return own
}
