package nethttp

import (
	"io"
	"net/http"

	"github.com/jwtgate/jwtgate/core"
)

// commitWriter lets core have the last word on the header of the answer to a
// renewed request. All other requests run on the writer that the server gave.
type commitWriter struct {
	http.ResponseWriter

	decision  core.Decision
	committed bool
}

func (w *commitWriter) commit() {
	if !w.committed {
		w.committed = true
		w.decision.Commit(w.Header().Set)
	}
}

// WriteHeader commits, unless the header is an informational one.
func (w *commitWriter) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.commit()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write commits.
func (w *commitWriter) Write(p []byte) (int, error) {
	w.commit()
	return w.ResponseWriter.Write(p)
}

// ReadFrom commits, and keeps the server's own way of sending a file.
func (w *commitWriter) ReadFrom(r io.Reader) (int64, error) {
	w.commit()
	return io.Copy(w.ResponseWriter, r)
}

// Flush commits.
func (w *commitWriter) Flush() { _ = w.FlushError() }

// FlushError commits.
func (w *commitWriter) FlushError() error {
	w.commit()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for [http.ResponseController], which finds the rest by it.
func (w *commitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
