package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

// start serves the API for tokens of issuer, and returns its URL.
func start(t *testing.T, config jwtgate.Config) string {
	t.Helper()
	auth, err := jwtgate.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	server := httptest.NewServer(api(auth))
	t.Cleanup(server.Close)
	return server.URL
}

// get returns the status and the body of the answer.
func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("got %s; want %s", got, want)
	}
}

// TestProvider gets tokens from oidc-provider of npm.
func TestProvider(t *testing.T) {
	idp := startProvider(t, "billing")
	address := start(t, apiConfig(idp, keys.Remote{}))
	want(t, get(t, withProvider(t.Context(), idp+"/token", "billing", "secret"), address+"/invoices"), `200 {"for":"billing"}`)
	want(t, get(t, withProvider(t.Context(), idp+"/token", "billing", "wrong"), address+"/invoices"), "invalid_client")

	config := apiConfig(idp, keys.Remote{})
	config.Audience = "https://other.example.com"
	want(t, get(t, withProvider(t.Context(), idp+"/token", "billing", "secret"), start(t, config)+"/invoices"), "token_invalid")
}

// startProvider starts oidc-provider for one client, and returns its URL. It stops when
// the test ends.
func startProvider(t *testing.T, client string) string {
	t.Helper()
	cmd := programs.Peer(t, "provider.mjs", client)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
		late.Stop()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider has not started: %v", err)
	}
	return strings.TrimSpace(line)
}

// TestOwnKey uses tokens that the calling service signs.
func TestOwnKey(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := jwtgate.New(issuerConfig(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	publisher := httptest.NewServer(nethttp.Handle(own.JWKS))
	t.Cleanup(publisher.Close)
	address := start(t, apiConfig("https://auth.example.com", keys.Remote{URL: publisher.URL}))
	client := withOwnKey(t.Context(), own, "billing")
	want(t, get(t, client, address+"/invoices"), `200 {"for":"service:billing"}`)

	token, err := own.Issue(t.Context(), jwtgate.Grant{Subject: "service:backup"})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, address+"/invoices", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a token without the scope: got %s; want 403", res.Status)
	}
}

// TestRedirect checks that a token does not leave the API by a redirect.
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host got %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(here.Close)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := jwtgate.New(issuerConfig(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	want(t, get(t, withOwnKey(t.Context(), own, "billing"), here.URL), "307")
}

// TestAccount signs in with the name and the password of a service account.
func TestAccount(t *testing.T) {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: audience,
		Keys:     keys.HS256([]byte("a secret of at least 32 bytes, for tests")),
		Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) {
			return jwtgate.Grant{Scopes: []string{"invoices:read"}}, nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	mux := http.NewServeMux()
	mux.Handle("POST /token", nethttp.Handle(auth.Token(users.Check)))
	mux.Handle("POST /refresh", nethttp.Handle(auth.Refresh))
	mux.Handle("/", api(auth))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client, err := withAccount(t.Context(), server.URL, "bob", "builder")
	if err != nil {
		t.Fatal(err)
	}
	want(t, get(t, client, server.URL+"/invoices"), `200 {"for":"bob"}`)
	if _, err := withAccount(t.Context(), server.URL, "bob", "wonderland"); err == nil {
		t.Error("a wrong password was accepted")
	}
}

// TestRun runs the command.
func TestRun(t *testing.T) {
	if err := run(t.Context()); err != nil {
		t.Error(err)
	}
}
