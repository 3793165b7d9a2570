package ginjwt

import (
	"net/http"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// commitWriter lets core have the last word on the header of the answer to a
// renewed request. All other requests run on the writer that Gin gave.
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

// Unwrap is for [http.ResponseController], which finds the rest by it.
func (w *commitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
