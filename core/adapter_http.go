package jwtgate

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// HTTPRequest returns r as a [Request], for adapters of net/http and of the
// frameworks that are built on it. It allocates nothing. Peer is r.RemoteAddr, which
// some middleware replaces by what a header field of the client says.
func HTTPRequest(r *http.Request) Request {
	return Request{
		Method: r.Method,
		Path:   r.URL.Path,
		Query:  r.URL.RawQuery,
		Host:   r.Host,
		Header: r.Header,
		Peer:   (*httpPeer)(r),
		TLS:    r.TLS != nil,
		Body:   r.Body,
	}
}

// An httpPeer is a request as the [net.Addr] of its RemoteAddr.
type httpPeer http.Request

func (p *httpPeer) Network() string { return "tcp" }
func (p *httpPeer) String() string  { return p.RemoteAddr }

// Forward returns the request for the handler after d: r with the identity in its
// context and, if it was renewed, without the header fields that [Decision.StripConditional]
// removes. It returns r itself if nothing changes.
func (d *Decision) Forward(r *http.Request) *http.Request {
	switch {
	case d.Renewed:
		r = r.Clone(d.Context)
		d.StripConditional(r.Header.Del)
	case !sameContext(d.Context, r.Context()):
		r = r.WithContext(d.Context)
	}
	return r
}

// sameContext reports whether a and b are the same context. Contexts of a type that
// cannot be compared count as different.
func sameContext(a, b context.Context) bool {
	if _, own := a.(*visit); own {
		return a == b
	}
	return reflect.ValueOf(a).Comparable() && a == b
}

// CommitWriter returns a writer that calls Commit before the header of the answer is
// sent. It is for renewed requests only: handlers of all others get the server's own
// writer. Call its Commit after the handler.
func (d *Decision) CommitWriter(w http.ResponseWriter) *CommitWriter {
	return &CommitWriter{ResponseWriter: w, renewal: d.renewal}
}

// A CommitWriter is the response writer for the handler of a renewed request.
type CommitWriter struct {
	http.ResponseWriter

	renewal *renewal
	sent    bool // the header
}

// Commit puts the header fields of [Decision.Commit] into the header, unless it was
// sent before, and removes cookies from the trailer. Call it after the handler, which
// may have written nothing.
func (w *CommitWriter) Commit() {
	header := w.Header()
	if !w.sent {
		w.renewal.commit(httpHeader(header))
	}
	dropTrailer(header, "Set-Cookie")
}

// WriteHeader commits. From an informational response, it removes the cookies.
func (w *CommitWriter) WriteHeader(status int) {
	switch {
	case w.sent:
	case status < http.StatusOK && status != http.StatusSwitchingProtocols:
		w.renewal.withhold(httpHeader(w.Header()))
	default:
		w.send()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write commits.
func (w *CommitWriter) Write(p []byte) (int, error) {
	w.send()
	return w.ResponseWriter.Write(p)
}

// ReadFrom commits. It lets the server's writer send files efficiently.
func (w *CommitWriter) ReadFrom(r io.Reader) (int64, error) {
	w.send()
	return io.Copy(w.ResponseWriter, r)
}

// Flush commits.
func (w *CommitWriter) Flush() { _ = w.FlushError() }

// FlushError commits.
func (w *CommitWriter) FlushError() error {
	w.send()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack gives the connection to the caller (see [http.Hijacker]), who sends no
// cookies. The error is [http.ErrNotSupported] if the server's writer has no Hijack.
func (w *CommitWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets [http.ResponseController] find the methods of the server's writer.
func (w *CommitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// send commits before the first part of the answer.
func (w *CommitWriter) send() {
	w.Commit()
	w.sent = true
}

// httpHeader is an [http.Header] as the header of an answer.
type httpHeader http.Header

func (h httpHeader) Add(name, value string) { http.Header(h).Add(name, value) }
func (h httpHeader) Set(name, value string) { http.Header(h).Set(name, value) }

// DelCookie removes the Set-Cookie lines of the cookie called name.
func (h httpHeader) DelCookie(name string) {
	lines := slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), func(line string) bool {
		own, _, _ := strings.Cut(line, "=")
		return strings.Trim(own, " \t") == name
	})
	if len(lines) == 0 {
		delete(h, "Set-Cookie")
		return
	}
	h["Set-Cookie"] = lines
}

// dropTrailer removes the field called name from the trailer, in both of the ways by
// which handlers send one.
func dropTrailer(header http.Header, name string) {
	delete(header, http.TrailerPrefix+name)
	if len(header["Trailer"]) == 0 {
		return
	}
	announced := strings.Split(strings.Join(header["Trailer"], ","), ",")
	announced = slices.DeleteFunc(announced, func(other string) bool {
		return http.CanonicalHeaderKey(strings.Trim(other, " \t")) == name
	})
	header["Trailer"] = announced
}
