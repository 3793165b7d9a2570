package jwtclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestSignIn signs in with a wrong password and then with the right one.
func TestSignIn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	transport := newSignedOut(t, a, nil)
	wantSignedOut(t, transport)

	err := transport.SignIn(t.Context(), "alice", "builder")
	var refusal *jwtgate.Refusal
	if !errors.As(err, &refusal) || refusal.Code != jwtgate.CodeInvalidCredentials || refusal.Status != 401 || strings.Contains(err.Error(), "builder") {
		t.Errorf("got %v; want invalid_credentials", err)
	}
	wantSignedOut(t, transport)
	a.wantCalls("/token", 1, "/me", 0)

	if err := transport.SignIn(t.Context(), "alice", "wonderland"); err != nil {
		t.Fatal(err)
	}
	wantMe(t, transport)
}

// TestSignInTrouble checks the errors of SignIn, and that it makes one attempt only.
func TestSignInTrouble(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
		body   string
		fields []string
		want   func(error) bool
	}{
		{"503", 503, "", nil, func(err error) bool { return strings.Contains(err.Error(), "503") }},
		{"429", 429, `{"code":"throttled","detail":"Slowly."}`, []string{"Retry-After", "7"}, func(err error) bool {
			var refusal *jwtgate.Refusal
			return errors.As(err, &refusal) && refusal.Code == jwtgate.CodeThrottled && refusal.RetryAfter == 7*time.Second && refusal.Detail == "Slowly."
		}},
		{"error of OAuth", 400, `{"error":"unauthorized_client"}`, []string{"WWW-Authenticate", "Bearer"}, func(err error) bool {
			var refusal *jwtgate.Refusal
			return errors.As(err, &refusal) && refusal.Code == "unauthorized_client" && refusal.OAuthError == "unauthorized_client" && refusal.Challenge == "Bearer"
		}},
		{"a code that would break a log", 400, `{"code":"a\nb"}`, nil, func(err error) bool { return !strings.Contains(err.Error(), "\n") }},
		{"no tokens", 200, `{}`, nil, func(err error) bool { return err != nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
				calls++
				return answer(row.status, row.body, row.fields...)
			}), nil)
			err := transport.SignIn(t.Context(), "alice", "wonderland")
			if err == nil || errors.Is(err, jwtclient.ErrSignedOut) || !row.want(err) || calls != 1 {
				t.Errorf("got %v after %d calls", err, calls)
			}
		})
	}
}

// TestSetTokens checks that access tokens that no header field can have are refused,
// and that the error does not contain them.
func TestSetTokens(t *testing.T) {
	t.Parallel()
	for _, access := range []string{"", "a b", "a\r\nb", "ä", "a\x7f"} {
		transport := newSignedOut(t, newAPI(t), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: access, Refresh: "x"}); err == nil || access != "" && strings.Contains(err.Error(), access) {
			t.Errorf("%q: got %v; want an error without it", access, err)
		}
		wantSignedOut(t, transport)
	}
}

// If the server has ended the session, the first 401 response signs the Transport
// out, and no request is sent with the tokens after that.
func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		other := newSignedOut(t, a, nil)
		if err := other.SetTokens(t.Context(), store.tokens()); err != nil {
			t.Fatal(err)
		}
		wantMe(t, transport)
		if err := other.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSignedOut(t, transport)
		wantSignedOut(t, transport)
		a.wantCalls("/me", 2, "/refresh", 1)
		if store.tokens() != (jwtclient.Tokens{}) {
			t.Error("got tokens in the store; want none")
		}
	})
}

// A sign-in ends the pause after a failed renewal, and discards unsaved tokens.
func TestSignInAfterTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		newTransport(t, a, store)
		good := store.tokens()
		transport := newTransport(t, a, store)
		trouble := func() {
			time.Sleep(life)
			store.fail(errFull)
			if _, _, err := transport.Token(t.Context()); !errors.Is(err, errFull) {
				t.Errorf("got %v; want %v", err, errFull)
			}
			store.fail(nil)
		}
		trouble()
		if err := transport.SetTokens(t.Context(), good); err != nil { // the access token has expired, and the refresh token has not
			t.Fatal(err)
		}
		if _, _, err := transport.Token(t.Context()); err != nil {
			t.Errorf("got %v; want no pause", err)
		}
		trouble()
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "x", Refresh: "newest"}); err != nil {
			t.Fatal(err)
		}
		if err := transport.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := a.posted[len(a.posted)-1]; got != "refresh_token=newest" {
			t.Errorf("posted %q; want the newest token", got)
		}
	})
}

// SignIn and SetTokens wait for a renewal in flight until their context ends.
func TestSetTokensWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		transport := newTransport(t, a, nil)
		time.Sleep(life)
		a.setDelay(10 * time.Second)
		go func() { _, _, _ = transport.Token(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := transport.SetTokens(ctx, jwtclient.Tokens{Access: "x"}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("got %v after %v; want a timeout after a second", err, time.Since(begun))
		}
		a.setDelay(0)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "y"}); err != nil {
			t.Error(err)
		}
		if got := token(t, transport); got != "y" {
			t.Errorf("got token %q; want y", got)
		}
	})
}

// SignIn returns an error for a nil context, as net/http does.
func TestSignInWithoutContext(t *testing.T) {
	t.Parallel()
	var missing context.Context
	if err := newSignedOut(t, newAPI(t), nil).SignIn(missing, "alice", "wonderland"); err == nil || !strings.Contains(err.Error(), "nil Context") {
		t.Errorf("got %v; want the error of net/http", err)
	}
}
