package jwtgate_test

import (
	"maps"
	"net/http"
	"reflect"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// An addSet is the header of a framework other than net/http.
type addSet interface {
	Add(name, value string)
	Set(name, value string)
}

// WriteHeader has a fast path for http.Header, which has the same effect as the methods
// Add and Set.
func TestWriteHeader(t *testing.T) {
	t.Parallel()
	before := http.Header{"Vary": {"Accept"}, "Cache-Control": {"public", "max-age=1"}, "Set-Cookie": nil}
	for _, row := range []struct {
		name   string
		fields []jwtgate.Field
		want   http.Header // the fields that change
	}{
		{"nothing", nil, nil},
		{"one that replaces", []jwtgate.Field{{"Cache-Control", "no-store"}}, http.Header{"Cache-Control": {"no-store"}}},
		{"one that is added", []jwtgate.Field{{"Vary", "Cookie"}}, http.Header{"Vary": {"Accept", "Cookie"}}},
		{"two cookies", []jwtgate.Field{{"Set-Cookie", "a=b"}, {"Set-Cookie", "c=d"}}, http.Header{"Set-Cookie": {"a=b", "c=d"}}},
		{"the last of two", []jwtgate.Field{{"Retry-After", "1"}, {"Retry-After", "2"}}, http.Header{"Retry-After": {"2"}}},
		{"two challenges", []jwtgate.Field{{"WWW-Authenticate", "Bearer"}, {"Www-Authenticate", "Basic"}}, http.Header{"Www-Authenticate": {"Bearer", "Basic"}}},
		{"in another case", []jwtgate.Field{{"vary", "Cookie"}, {"CONTENT-TYPE", "a/b"}, {"x-y", "z"}}, http.Header{"Vary": {"Accept", "Cookie"}, "Content-Type": {"a/b"}, "X-Y": {"z"}}},
	} {
		want := before.Clone()
		maps.Copy(want, row.want)
		res := jwtgate.Response{Header: row.fields}
		header, other := before.Clone(), before.Clone()
		res.CopyHeader(header)
		res.CopyHeader(struct{ addSet }{other})
		if !reflect.DeepEqual(header, want) || !reflect.DeepEqual(other, want) {
			t.Errorf("%s: got %v, and %v by methods, want %v", row.name, header, other, want)
		}
		// Adding to one field later must not change another one.
		for name := range header {
			header.Add(name, "later")
		}
		for name, values := range want {
			if got := header[name][:len(values)]; len(values) > 0 && !reflect.DeepEqual(got, values) {
				t.Errorf("%s: got %s %v after others were added to, want %v", row.name, name, got, values)
			}
		}
	}
}
