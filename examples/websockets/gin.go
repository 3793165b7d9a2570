package websockets

import (
	"net/http"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/ginjwt"
)

func serveGin(auth *jwtgate.Auth) http.Handler {
	r := gin.New()
	r.GET("/chat", ginjwt.Protect(auth), gin.WrapH(chat(auth)))
	return r
}
