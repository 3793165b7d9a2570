package core

import (
	"io"
	"net/http"
)

// A Request is what an adapter tells about an HTTP request. The strings need
// only be good until the call they are passed to returns: core copies what it
// keeps.
type Request struct {
	Method string
	Path   string // without the query
	Host   string // the Host header or :authority

	Authorization []string // every line of the header
	Cookie        []string // every line of the header
	Origin        string
	SecFetchSite  string
	SecFetchMode  string // "navigate" where a browser would show the answer as a page
	Upgrade       string
	IfNoneMatch   string

	ContentType string
	UserAgent   string
	Body        io.Reader // read by endpoints only; nil is an empty body
}

// HTTPRequest returns r as the adapters of net/http and of the frameworks built
// on it tell it. It allocates nothing.
func HTTPRequest(r *http.Request) Request {
	return Request{
		Method:        r.Method,
		Path:          r.URL.Path,
		Host:          r.Host,
		Authorization: r.Header["Authorization"],
		Cookie:        r.Header["Cookie"],
		Origin:        first(r.Header["Origin"]),
		SecFetchSite:  first(r.Header["Sec-Fetch-Site"]),
		SecFetchMode:  first(r.Header["Sec-Fetch-Mode"]),
		Upgrade:       first(r.Header["Upgrade"]),
		IfNoneMatch:   first(r.Header["If-None-Match"]),
		ContentType:   first(r.Header["Content-Type"]),
		UserAgent:     first(r.Header["User-Agent"]),
		Body:          r.Body,
	}
}

// first returns the first of values: what http.Header.Get does, which first puts
// the name in the spelling that it has here.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
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
