package jwtgate

import (
	"encoding"
	"encoding/json"
	"reflect"
	"time"
)

// A detacher gives the copy of a value its own of all that the value refers to, so
// that nothing done to the one is ever seen in the other. It is nil where there is
// nothing to do.
type detacher func(copied reflect.Value)

// maxDetachDepth is how deep types are looked into: some have themselves inside.
const maxDetachDepth = 8

// detacherOf returns the detacher for values of a type, which is depth levels
// inside another, and false if there is none.
func detacherOf(t reflect.Type, depth int) (detach detacher, ok bool) {
	if depth > maxDetachDepth {
		return nil, false
	}
	if t == reflect.TypeFor[time.Time]() {
		return nil, true // its location is never changed
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
	if detach != nil && knowsPlaces(t, depth) {
		return nil, false
	}
	return detach, ok
}

// knowsPlaces reports whether values of a type, which refers to others, decode
// themselves: they may then refer to what the application has one of, and knows by
// its place. A list of plain values, such as a [json.RawMessage], has none to know.
func knowsPlaces(t reflect.Type, depth int) bool {
	itself := reflect.PointerTo(t)
	if !itself.Implements(reflect.TypeFor[json.Unmarshaler]()) && !itself.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
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
		// What is not exported can't be set, but for what is in an embedded struct.
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

// fresh returns a copy of element, detached, in a place of its own.
func (d detacher) fresh(element reflect.Value) reflect.Value {
	own := reflect.New(element.Type()).Elem()
	own.Set(element)
	if d != nil {
		d(own)
	}
	return own
}
