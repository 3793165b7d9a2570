package websockets

import (
	"net/http"

	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/echojwt"
)

func serveEcho(auth *jwtgate.Auth) http.Handler {
	e := echo.New()
	e.GET("/chat", echo.WrapHandler(chat(auth)), echojwt.Protect(auth))
	return e
}
