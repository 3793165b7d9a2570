package jwtgate_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A user gets another role, which takes effect at once. Nobody is signed out.
func ExampleAuth_RenewSubject() {
	role := "user" // in your database
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{
			Subject: func(context.Context, string) (jwtgate.Grant, error) {
				return jwtgate.Grant{Roles: []string{role}}, nil
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	ctx := context.Background()
	tokens, err := auth.SignIn(ctx, jwtgate.Request{}, "alice")
	if err != nil {
		log.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // a token of the same millisecond would not count as older

	role = "admin"
	if err := auth.RenewSubject(ctx, "alice"); err != nil {
		log.Fatal(err)
	}
	request := jwtgate.Request{
		Method: http.MethodGet,
		Header: http.Header{"Cookie": {"__Host-at=" + tokens.Access.Token + "; __Host-rt=" + tokens.Refresh}},
	}
	d := auth.Decide(ctx, request, jwtgate.Role("admin"))
	fmt.Println(d.Identity.Subject(), d.Identity.HasRole("admin"), d.Renewed)
	// Output: alice true true
}
