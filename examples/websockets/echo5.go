package websockets

import (
	"net/http"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
)

func serveEcho5(auth *jwtgate.Auth) http.Handler {
	e := echo.New()
	e.GET("/chat", echo.WrapHandler(chat(auth)), echojwt.Protect(auth))
	return e
}
