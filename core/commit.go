package jwtgate

import (
	"io"
	"net/http"
)

// Commit sets the header fields that the answer of a renewed request must go
// out with, whatever the handler said: an answer with someone's cookies in it
// must not be stored by any cache. For other requests it does nothing.
func (d *Decision) Commit(set func(name, value string)) {
	if d.Renewed {
		for _, field := range uncacheable {
			set(field.Name, field.Value)
		}
	}
}

// CommitWriter returns a writer that commits d before the header goes out. It is
// for renewed requests only: all others run on the writer that the server gave.
func (d *Decision) CommitWriter(w http.ResponseWriter) *CommitWriter {
	return &CommitWriter{ResponseWriter: w, decision: *d}
}

// A CommitWriter is what the handler of a renewed request writes to.
type CommitWriter struct {
	http.ResponseWriter

	decision  Decision
	committed bool
}

// Commit commits, if nothing has done so yet. Call it after the handler, for one
// that wrote nothing.
func (w *CommitWriter) Commit() {
	if !w.committed {
		w.committed = true
		w.decision.Commit(w.Header().Set)
	}
}

// WriteHeader commits, unless the header is an informational one.
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

// ReadFrom commits, and keeps the server's own way of sending a file.
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

// Unwrap is for [http.ResponseController], which finds the rest by it.
func (w *CommitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
