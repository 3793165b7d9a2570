package jwtgate

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/jwtgate/jwtgate/core/internal/clone"
	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// A claimsType is what is known of a type into which claims are decoded.
type claimsType struct {
	// names are those of the claims that the type can have. The others are left out,
	// because encoding/json takes most of the time for a token, and reads every claim
	// twice. It is nil if the type can have any claim.
	names *jose.Names

	cloner   clone.Cloner
	clonable bool // cloner can be used
}

// claimsType returns what is known of t, which is found out once.
func (id *Identity) claimsType(t reflect.Type) *claimsType {
	types := &id.bearerVisit.auth.claimsTypes
	if known, ok := types.Load(t); ok {
		return known.(*claimsType)
	}
	found := &claimsType{names: claimNames(t)}
	found.cloner, found.clonable = clone.For(t)
	types.Store(t, found)
	return found
}

// claimNames returns the names of the claims that encoding/json decodes into a t, and
// perhaps others. It returns nil if that can be any claim.
func claimNames(t reflect.Type) *jose.Names {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || decodesItself(t) {
		return nil
	}
	fields, ok := appendFieldNames(nil, t, nil)
	if !ok {
		return nil
	}
	names := jose.NewNames(fields...)
	return &names
}

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// appendFieldNames appends the names that the fields of the struct t have in JSON, and
// those that they would have without a tag. The struct is embedded in those of within.
func appendFieldNames(names []string, t reflect.Type, within []reflect.Type) (_ []string, ok bool) {
	within = append(within, t)
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		for option := range strings.SplitSeq(options, ",") {
			if !slices.Contains([]string{"", "omitempty", "omitzero", "string"}, option) {
				return nil, false // a later version of encoding/json can give it any claim
			}
		}
		if names = append(names, field.Name); name != "" {
			names = append(names, name)
		}
		embedded := field.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		if !field.Anonymous || embedded.Kind() != reflect.Struct || slices.Contains(within, embedded) {
			continue
		}
		if names, ok = appendFieldNames(names, embedded, within); !ok {
			return nil, false
		}
	}
	return names, true
}
