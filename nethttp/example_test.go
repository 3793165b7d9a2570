package nethttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

// One line protects a subtree. Routes outside the subtree stay public, and a route
// inside it can require more.
func ExampleProtect() {
	auth, alice := signIn("user")

	api := http.NewServeMux()
	api.Handle("GET /api/notes", say("notes"))
	api.Handle("GET /api/users", nethttp.Protect(auth, jwtgate.Role("admin"))(say("users")))

	root := http.NewServeMux()
	root.Handle("GET /healthz", say("ok"))
	root.Handle("/api/", nethttp.Protect(auth)(api)) // the one line

	fmt.Println(get(root, "/healthz", ""))
	fmt.Println(get(root, "/api/notes", ""))
	fmt.Println(get(root, "/api/notes", alice))
	fmt.Println(get(root, "/api/users", alice))
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
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := nethttp.Claims[claims](r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintf(w, "%s of team %s", c.Subject, c.Team)
	})

	fmt.Println(get(nethttp.Protect(auth, jwtgate.ClaimsOf[claims]())(handler), "/", alice))
	// Output:
	// 200 alice of team wonderland
}

// On an optional route, a request can be anonymous.
func ExampleIdentity() {
	auth, alice := signIn("admin")

	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, ok := nethttp.Identity(r)
		if !ok {
			_, _ = fmt.Fprint(w, "hello")
			return
		}
		_, _ = fmt.Fprintf(w, "hello %s, admin: %t", id.Subject(), id.HasRole("admin"))
	})
	public := nethttp.Protect(auth, jwtgate.Optional())(handler)

	fmt.Println(get(public, "/", ""))
	fmt.Println(get(public, "/", alice))
	// Output:
	// 200 hello
	// 200 hello alice, admin: true
}

// Endpoints such as the JWK Set are served without Protect.
func ExampleHandle() {
	auth, _ := signIn()

	mux := http.NewServeMux()
	mux.Handle("/.well-known/jwks.json", nethttp.Handle(auth.JWKS))

	// The set has public keys only. It is empty here, because an HS256 key is secret.
	fmt.Println(get(mux, "/.well-known/jwks.json", ""))
	// Output:
	// 200 {"keys":[]}
}

// Send writes a response of package jwtgate in a handler of the application. This
// one signs in a user who followed a link in an email, and sets the session cookies.
func ExampleSend() {
	auth, _ := signIn()

	welcome := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens, err := auth.SignIn(r.Context(), jwtgate.HTTPRequest(r), "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			nethttp.Send(w, refusal.Response())
			return
		}
		if nethttp.Send(w, tokens.Cookies()) {
			return // the cookies could not be set, and Send has written the error
		}
		http.Redirect(w, r, "/notes", http.StatusSeeOther)
	})

	w := httptest.NewRecorder()
	welcome.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/welcome", nil))
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

// say returns a handler that responds with text.
func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, text)
	})
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
