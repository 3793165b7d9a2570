package jwtgate

import "net/http"

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
	if h, ok := header.(http.Header); ok {
		r.writeTo(h)
		return
	}
	for _, f := range r.Header {
		if hasSeveral(canonical(f.Name)) {
			header.Add(f.Name, f.Value)
		} else {
			header.Set(f.Name, f.Value)
		}
	}
}

// writeTo is WriteHeader for net/http, whose methods look at each letter of each
// name, and take memory for each line: more than all else that a refusal does.
func (r *Response) writeTo(h http.Header) {
	lines := make([]string, len(r.Header))
	for i, f := range r.Header {
		name := canonical(f.Name)
		if before := h[name]; len(before) > 0 && hasSeveral(name) {
			h[name] = append(before, f.Value)
			continue
		}
		lines[i] = f.Value
		h[name] = lines[i : i+1 : i+1]
	}
}

// canonical is [http.CanonicalHeaderKey], at next to no cost for our own fields.
func canonical(name string) string {
	switch name {
	case "Content-Type", "Cache-Control", "Retry-After", "Set-Cookie", "Vary":
		return name
	case "WWW-Authenticate":
		return "Www-Authenticate"
	}
	return http.CanonicalHeaderKey(name)
}

// hasSeveral reports whether an answer can have several lines of the field called
// name, in its canonical spelling.
func hasSeveral(name string) bool {
	return name == "Set-Cookie" || name == "Vary" || name == "Www-Authenticate"
}
