package core

import "strings"

// A Response is what an adapter sends.
type Response struct {
	// Status is the status code to answer with. Zero means that there is no
	// answer yet: the header fields are set and the handler goes on.
	Status int
	Header []Field
	Body   []byte

	// Err, if not nil, is to be handed to the framework's own error path in
	// place of Body: as *echo.HTTPError, *fiber.Error, or by Gin's c.Error.
	// Where a framework has no such path, as net/http, Body is sent.
	Err error
}

// A Field is a header field of a [Response].
type Field struct{ Name, Value string }

// WriteHeader writes r's fields to header, such as an [http.Header]. It adds those
// of which an answer can have several (Set-Cookie, Vary, WWW-Authenticate), so that
// what outer middleware wrote of them stays, and sets all others.
func (r *Response) WriteHeader(header interface {
	Add(name, value string)
	Set(name, value string)
}) {
	for _, f := range r.Header {
		if f.is("Set-Cookie") || f.is("Vary") || f.is("WWW-Authenticate") {
			header.Add(f.Name, f.Value)
		} else {
			header.Set(f.Name, f.Value)
		}
	}
}

// is reports whether f is the field called name (RFC 9110 §5.1).
func (f *Field) is(name string) bool { return strings.EqualFold(f.Name, name) }
