package ginjwt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/ginjwt"
)

// One line protects a group. Routes outside the group stay public, and a route
// inside it can require more.
func ExampleProtect() {
	auth, alice := signIn("user")

	r := gin.New()
	r.GET("/healthz", func(c *gin.Context) {
		c.String(http.StatusOK, "ok")
	})

	api := r.Group("/api", ginjwt.Protect(auth)) // the one line
	api.GET("/notes", func(c *gin.Context) {
		c.String(http.StatusOK, "notes")
	})
	api.GET("/users", ginjwt.Protect(auth, jwtgate.Role("admin")), func(c *gin.Context) {
		c.String(http.StatusOK, "users")
	})

	fmt.Println(get(r, "/healthz", ""))
	fmt.Println(get(r, "/api/notes", ""))
	fmt.Println(get(r, "/api/notes", alice))
	fmt.Println(get(r, "/api/users", alice))
	// Output:
	// 200 ok
	// 401 token_missing
	// 200 notes
	// 403 insufficient_scope
}

// Claims decodes the claims into a type of the application. With the rule
// [jwtgate.ClaimsOf], a token whose claims do not fit the type is refused before the
// handler runs.
func ExampleClaims() {
	auth, alice := signIn()

	type claims struct {
		Subject string `json:"sub"`
		Team    string `json:"team"`
	}
	r := gin.New()
	r.GET("/", ginjwt.Protect(auth, jwtgate.ClaimsOf[claims]()), func(c *gin.Context) {
		claims, err := ginjwt.Claims[claims](c)
		if err != nil {
			_ = c.AbortWithError(http.StatusInternalServerError, err)
			return
		}
		c.String(http.StatusOK, "%s of team %s", claims.Subject, claims.Team)
	})

	fmt.Println(get(r, "/", alice))
	// Output:
	// 200 alice of team wonderland
}

// On an optional route, a request can be anonymous.
func ExampleIdentity() {
	auth, alice := signIn("admin")

	r := gin.New()
	r.GET("/", ginjwt.Protect(auth, jwtgate.Optional()), func(c *gin.Context) {
		id, ok := ginjwt.Identity(c)
		if !ok {
			c.String(http.StatusOK, "hello")
			return
		}
		c.String(http.StatusOK, "hello %s, admin: %t", id.Subject(), id.HasRole("admin"))
	})

	fmt.Println(get(r, "/", ""))
	fmt.Println(get(r, "/", alice))
	// Output:
	// 200 hello
	// 200 hello alice, admin: true
}

// Endpoints such as the JWK Set are served without Protect.
func ExampleHandle() {
	auth, _ := signIn()

	r := gin.New()
	r.GET("/.well-known/jwks.json", ginjwt.Handle(auth.JWKS))

	// The set has public keys only. It is empty here, because an HS256 key is secret.
	fmt.Println(get(r, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// Send writes a response of package jwtgate in a handler of the application. This
// one signs in a user who followed a link in an email, and sets the session cookies.
func ExampleSend() {
	auth, _ := signIn()

	r := gin.New()
	r.POST("/welcome", func(c *gin.Context) {
		tokens, err := auth.SignIn(c.Request.Context(), jwtgate.HTTPRequest(c.Request), "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			ginjwt.Send(c, refusal.Response())
			return
		}
		if ginjwt.Send(c, tokens.Cookies()) {
			return // the cookies could not be set, and Send has written the error
		}
		c.Redirect(http.StatusSeeOther, "/notes")
	})

	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/welcome", nil))
	fmt.Println(w.Code, w.Header().Get("Location"), w.Header().Get("Cache-Control"))
	for _, cookie := range w.Result().Cookies() {
		fmt.Println(cookie.Name)
	}
	// Output:
	// 303 /notes no-store
	// __Host-at
	// __Host-rt
}

// signIn returns an Auth, and an access token for alice that it has issued.
func signIn(roles ...string) (auth *jwtgate.Auth, token string) {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte("a secret of at least 32 bytes, for examples")),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{
			Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := auth.Issue(context.Background(), jwtgate.Grant{
		Subject: "alice",
		Roles:   roles,
		Claims:  map[string]string{"team": "wonderland"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return auth, issued.Token
}

// get returns the status of a response and its body, or the code of a refusal.
func get(h http.Handler, target, token string) string {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var refusal struct{ Code string }
	if w.Code >= http.StatusBadRequest && json.Unmarshal(w.Body.Bytes(), &refusal) == nil {
		return fmt.Sprint(w.Code, " ", refusal.Code)
	}
	return fmt.Sprint(w.Code, " ", w.Body)
}
