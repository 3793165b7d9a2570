package jwtgate

import "net/http"

// A Response is what an adapter sends.
type Response struct {
	// Status is the status code of the answer. Zero means that there is no answer
	// yet: the adapter sets the header fields, and the handler continues.
	Status int
	Header []Field
	Body   []byte

	// Err, if not nil, goes to the framework's error handler instead of Body: as an
	// *echo.HTTPError, as a *fiber.Error, or by Gin's c.Error. net/http has no error
	// handler, so Body is sent there.
	Err error
}

// A Field is a header field of a [Response].
type Field struct{ Name, Value string }

// CopyHeader copies r's fields to header, such as an [http.Header]. It adds the
// fields of which an answer can have several lines (Set-Cookie, Vary,
// WWW-Authenticate), so that the lines of outer middleware stay, and sets all others.
func (r *Response) CopyHeader(header interface {
	Add(name, value string)
	Set(name, value string)
}) {
	if h, ok := header.(http.Header); ok {
		r.copyTo(h)
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

// copyTo is CopyHeader for net/http. The methods of http.Header check each letter of
// a name and allocate for each line, which costs more than the rest of a refusal.
func (r *Response) copyTo(h http.Header) {
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

// canonical is [http.CanonicalHeaderKey], without its cost for the fields used here.
func canonical(name string) string {
	switch name {
	case "Content-Type", "Cache-Control", "Retry-After", "Set-Cookie", "Vary":
		return name
	case "WWW-Authenticate":
		return "Www-Authenticate"
	}
	return http.CanonicalHeaderKey(name)
}

// hasSeveral reports whether an answer can have several lines of the field called name,
// which is in the form of [http.CanonicalHeaderKey].
func hasSeveral(name string) bool {
	return name == "Set-Cookie" || name == "Vary" || name == "Www-Authenticate"
}
