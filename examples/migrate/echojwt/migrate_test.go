package main

import (
	"net/http"
	"testing"

	"github.com/labstack/echo-jwt/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/readme"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/rollout"
)

func TestREADME(t *testing.T) {
	readme.Check(t, readme.Fields[echojwt.Config]()...)
}

func TestMigration(t *testing.T) {
	rollout.Migration{
		Old:      func(secret []byte) http.Handler { return Old(secret) },
		NewAuth:  NewAuth,
		New:      func(auth *jwtgate.Auth) http.Handler { return New(auth) },
		Lifetime: lifetime,
		Subject:  "alice",
	}.Run(t)
}
