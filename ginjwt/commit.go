package ginjwt

import (
	"net/http"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// commitWriter calls [jwtgate.Decision.Commit] before the header of a response is
// sent. It is for renewed requests only: all others use the writer of Gin.
type commitWriter struct {
	gin.ResponseWriter

	decision jwtgate.Decision
}

func (w *commitWriter) commit() {
	if !w.Written() {
		w.decision.Commit(w.Header().Set)
	}
}

// WriteHeaderNow commits.
func (w *commitWriter) WriteHeaderNow() {
	w.commit()
	w.ResponseWriter.WriteHeaderNow()
}

// Write commits.
func (w *commitWriter) Write(p []byte) (int, error) {
	w.commit()
	return w.ResponseWriter.Write(p)
}

// WriteString commits.
func (w *commitWriter) WriteString(s string) (int, error) {
	w.commit()
	return w.ResponseWriter.WriteString(s)
}

// Flush commits.
func (w *commitWriter) Flush() {
	w.commit()
	w.ResponseWriter.Flush()
}

// Unwrap lets [http.ResponseController] find the methods of the wrapped writer.
func (w *commitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
