package main

import (
	"net/http"
	"testing"

	jwtware "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/readme"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/rollout"
)

func TestREADME(t *testing.T) {
	readme.Check(t, append(readme.Fields[jwtware.Config](), "JWTAlg")...)
}

func TestMigration(t *testing.T) {
	rollout.Migration{
		Old:      func(secret []byte) http.Handler { return adaptor.FiberApp(Old(secret)) },
		NewAuth:  NewAuth,
		New:      func(auth *jwtgate.Auth) http.Handler { return adaptor.FiberApp(New(auth)) },
		Lifetime: lifetime,
		Subject:  "alice",
	}.Run(t)
}
