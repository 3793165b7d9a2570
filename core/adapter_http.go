package jwtgate

import (
	"context"
	"io"
	"net/http"
	"reflect"
)

// HTTPRequest returns r as a [Request], for adapters of net/http and of the
// frameworks that are built on it. It allocates nothing. Peer is r.RemoteAddr, which
// some middleware replaces by what a header field of the client says.
func HTTPRequest(r *http.Request) Request {
	return Request{
		Method: r.Method,
		Path:   r.URL.Path,
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

// StripConditional calls del with the name of each header field that must be removed
// from a renewed request before the handler runs: those of conditional and of range
// requests (RFC 9110 §13 and §14). Its answer carries cookies, so it must be neither
// a 304, which a cache would merge with a stored answer, nor a part of one. For other
// requests it does nothing.
func (d *Decision) StripConditional(del func(name string)) {
	if d.Renewed {
		for _, name := range [...]string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"} {
			del(name)
		}
	}
}

// Commit calls set for the header fields that the answer to a renewed request must
// have, whatever the handler has set: no cache may store an answer with cookies. For
// other requests it does nothing.
func (d *Decision) Commit(set func(name, value string)) {
	if d.Renewed {
		for _, field := range uncacheable {
			set(field.Name, field.Value)
		}
	}
}

// CommitWriter returns a writer that calls Commit before the header is sent. It is
// for renewed requests only: handlers of all others get the server's own writer.
func (d *Decision) CommitWriter(w http.ResponseWriter) *CommitWriter {
	return &CommitWriter{ResponseWriter: w, decision: *d}
}

// A CommitWriter is the response writer for the handler of a renewed request.
type CommitWriter struct {
	http.ResponseWriter

	decision  Decision
	committed bool
}

// Commit sets the header fields of [Decision.Commit], unless that was done before.
// Call it after the handler, which may have written nothing.
func (w *CommitWriter) Commit() {
	if !w.committed {
		w.committed = true
		w.decision.Commit(w.Header().Set)
	}
}

// WriteHeader commits, unless status is that of an informational response.
func (w *CommitWriter) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.Commit()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write commits.
func (w *CommitWriter) Write(p []byte) (int, error) {
	w.Commit()
	return w.ResponseWriter.Write(p)
}

// ReadFrom commits. It lets the server's writer send files efficiently.
func (w *CommitWriter) ReadFrom(r io.Reader) (int64, error) {
	w.Commit()
	return io.Copy(w.ResponseWriter, r)
}

// Flush commits.
func (w *CommitWriter) Flush() { _ = w.FlushError() }

// FlushError commits.
func (w *CommitWriter) FlushError() error {
	w.Commit()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets [http.ResponseController] find the methods of the server's writer.
func (w *CommitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
