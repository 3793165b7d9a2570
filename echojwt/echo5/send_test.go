package echojwt_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
)

// TestSendError checks that Send returns the error of a connection that is closed.
func TestSendError(t *testing.T) {
	t.Parallel()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/", nil), closed{httptest.NewRecorder()})
	answered, err := echojwt.Send(c, jwtgate.Response{Status: http.StatusOK, Body: []byte("text")})
	if !answered || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %t, %v; want true, %v", answered, err, net.ErrClosed)
	}
}

// closed is the writer of a connection that is closed.
type closed struct{ http.ResponseWriter }

func (closed) Write([]byte) (int, error) { return 0, net.ErrClosed }
