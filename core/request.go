package jwtgate

import (
	"io"
	"net/http"
)

// A Request is what an adapter tells about an HTTP request. It need only be good
// until the call that it is passed to returns: core copies what it keeps, and a
// function of the application's own that is given one, such as [Config.Refuse],
// must not leave it, or its Header, to a goroutine that lives longer.
type Request struct {
	Method string
	Path   string // without the query
	Host   string // the Host header or :authority
	Header Header // nil has no fields

	Body io.Reader // read by endpoints only; nil is an empty body
}

// A Header is the header of a request, such as an [http.Header]. Core asks it for
// a field when that one is to be judged, and for most requests that is one field.
type Header interface {
	// Values returns the value of each line of the field called name, in the
	// order of the lines, or nothing if there is no such field. The name is
	// spelt as [http.CanonicalHeaderKey] has it. What is returned must be good
	// until the call that the [Request] was passed to returns, whatever else is
	// asked for; it is neither changed nor kept. No two goroutines ask at once.
	Values(name string) []string
}

// First returns the value of the first line of the header field called name, in
// any spelling of its case, and "" if there is none.
func (r *Request) First(name string) string {
	if lines := r.values(http.CanonicalHeaderKey(name)); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// values returns the value of each line of the header field called name.
func (r *Request) values(name string) []string {
	switch header := r.Header.(type) {
	case nil:
		return nil
	case http.Header:
		return header[name] // Values would look at each letter of the name
	default:
		return header.Values(name)
	}
}

// HTTPRequest returns r as the adapters of net/http and of the frameworks built
// on it tell it. It allocates nothing.
func HTTPRequest(r *http.Request) Request {
	return Request{Method: r.Method, Path: r.URL.Path, Host: r.Host, Header: r.Header, Body: r.Body}
}

// Forward returns the request that the handler is to see after d: r with the
// identity in its context, and, if it was renewed, without the header fields
// that [Conditional] names. It is r itself if there is nothing to change.
func (d *Decision) Forward(r *http.Request) *http.Request {
	switch {
	case d.Renewed:
		r = r.Clone(d.Context)
		for _, name := range Conditional {
			r.Header.Del(name)
		}
	case d.Context != r.Context():
		r = r.WithContext(d.Context)
	}
	return r
}
