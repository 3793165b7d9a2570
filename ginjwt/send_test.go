package ginjwt_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/ginjwt"
)

// TestSend checks which responses abort the chain.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		res  jwtgate.Response
		want bool
	}{
		{"header alone", jwtgate.Response{}, false},
		{"answer", jwtgate.Response{Status: http.StatusNoContent}, true},
		{"refusal that is handed over", jwtgate.Response{Status: http.StatusUnauthorized, Err: http.ErrNoCookie}, true},
	} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		if got := ginjwt.Send(c, row.res); got != row.want || c.IsAborted() != row.want {
			t.Errorf("%s: got %t, aborted: %t; want %t", row.name, got, c.IsAborted(), row.want)
		}
	}
}
