package jwtclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// A program signs in once, and then uses the http.Client like any other.
func ExampleTransport() {
	server := serveExample()
	defer server.Close()

	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := transport.SignIn(ctx, "alice", "wonderland"); err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	show(client, server.URL+"/api/hello")

	if err := transport.SignOut(ctx); err != nil {
		log.Print(err) // signed out here, but not at the server
	}
	show(client, server.URL+"/api/hello")
	// Output:
	// 200 hello alice
	// sign in first
}

// New reports a configuration that would send tokens to an undeclared origin.
func ExampleNew() {
	_, err := jwtclient.New(jwtclient.Config{
		Origin:     "https://api.example.com",
		RefreshURL: "https://auth.example.com/refresh",
	})
	fmt.Println(err)
	// Output:
	// jwtclient: Config.RefreshURL: "https://auth.example.com/refresh" is at none of the origins: add its origin to MoreOrigins
}

// If the server refuses the sign-in, the error wraps a Refusal with the reason.
func ExampleTransport_SignIn() {
	server := serveExample()
	defer server.Close()
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		log.Fatal(err)
	}

	err = transport.SignIn(context.Background(), "alice", "looking-glass")
	if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
		fmt.Println(refusal.Code, "-", refusal.Detail)
	}
	// Output:
	// invalid_credentials - The name or the password is wrong.
}

// SetTokens signs in with tokens that the program obtained itself, for example with
// an authorization code.
func ExampleTransport_SetTokens() {
	server := serveExample()
	defer server.Close()
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		log.Fatal(err)
	}

	access, refresh := exchangeCode(server, "8f14e45f")
	err = transport.SetTokens(context.Background(), jwtclient.Tokens{
		Access:  access,
		Refresh: refresh,
		Expires: time.Now().Add(15 * time.Minute),
	})
	if err != nil {
		log.Fatal(err)
	}
	show(&http.Client{Transport: transport}, server.URL+"/api/hello")
	// Output:
	// 200 hello alice
}

// Public routes need no sign-in: with a nil Authorization field, the request is sent
// without a token.
func ExampleTransport_RoundTrip() {
	server := serveExample()
	defer server.Close()
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		log.Fatal(err)
	}

	req, err := http.NewRequest(http.MethodGet, server.URL+"/healthz", nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header["Authorization"] = nil
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	fmt.Println(res.Status)
	// Output:
	// 200 OK
}

// Clients that have their own transport, such as a gRPC client, call Token.
func ExampleTransport_Token() {
	server := serveExample()
	defer server.Close()
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		log.Fatal(err)
	}
	if err := transport.SignIn(context.Background(), "alice", "wonderland"); err != nil {
		log.Fatal(err)
	}

	_, expires, err := transport.Token(context.Background())
	fmt.Println(time.Until(expires).Round(time.Minute), err)
	// Output:
	// 15m0s <nil>
}

// A Store can keep the tokens anywhere, for example in the keychain of the system.
func ExampleStore() {
	server := serveExample()
	defer server.Close()
	var store keychain
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL, Store: &store})
	if err != nil {
		log.Fatal(err)
	}
	if err := transport.SignIn(context.Background(), "alice", "wonderland"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.tokens.Refresh != "")
	// Output:
	// true
}

type keychain struct{ tokens jwtclient.Tokens }

// Update implements [jwtclient.Store].
func (k *keychain) Update(_ context.Context, change func(jwtclient.Tokens) (jwtclient.Tokens, error)) error {
	// A real implementation locks the keychain, reads the tokens from it and writes
	// the new ones.
	next, err := change(k.tokens)
	if err != nil {
		return err
	}
	k.tokens = next
	return nil
}

// serveExample starts a server that uses package jwtgate. Its user is alice.
func serveExample() *httptest.Server {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte("a secret of at least 32 bytes, for examples")),
		Sessions: &jwtgate.SessionConfig{
			Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", say("ok"))
	mux.Handle("POST /token", nethttp.Handle(auth.Token(func(_ context.Context, username, password string) (string, bool, error) {
		return username, password == "wonderland", nil
	})))
	mux.Handle("POST /refresh", nethttp.Handle(auth.Refresh))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("GET /api/hello", nethttp.Protect(auth)(say("hello alice")))
	return httptest.NewServer(mux)
}

// say returns a handler that responds with text.
func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, text)
	})
}

// exchangeCode stands for an OAuth client, which exchanges an authorization code for
// tokens.
func exchangeCode(server *httptest.Server, _ string) (access, refresh string) {
	res, err := http.PostForm(server.URL+"/token", url.Values{"username": {"alice"}, "password": {"wonderland"}})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		log.Fatal(err)
	}
	return answer.Access, answer.Refresh
}

// show sends a GET request and prints the status and the body of the response.
func show(client *http.Client, url string) {
	res, err := client.Get(url)
	if errors.Is(err, jwtclient.ErrSignedOut) {
		fmt.Println("sign in first")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.StatusCode, string(text))
}
