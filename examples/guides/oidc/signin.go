package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

// A signIn signs users in by the authorization code grant (RFC 6749 §4.1).
type signIn struct {
	auth     *jwtgate.Auth
	provider *provider
}

// An attempt is a sign-in that the browser has begun. It is in a cookie of that browser,
// so that the callback knows that the same browser returns.
type attempt struct {
	State    string // against login CSRF (RFC 6749 §10.12)
	Nonce    string // binds the ID token (OpenID Connect Core §3.1.2.1)
	Verifier string // binds the code (PKCE, RFC 7636)
}

const attemptCookie = "__Host-attempt"

// begin sends the browser to the provider.
func (s signIn) begin(w http.ResponseWriter, r *http.Request) {
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	text, err := json.Marshal(a)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError) // never: strings always encode
		return
	}
	setAttempt(w, base64.RawURLEncoding.EncodeToString(text), 600)
	url := s.provider.oauth.AuthCodeURL(a.State, oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce))
	http.Redirect(w, r, url, http.StatusSeeOther)
}

// finish takes the browser back from the provider, and signs the user in.
func (s signIn) finish(w http.ResponseWriter, r *http.Request) {
	a, ok := attemptOf(r)
	setAttempt(w, "", -1) // a code is good once
	query := r.URL.Query()
	if !ok || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(a.State)) != 1 {
		http.Error(w, "This sign-in was not begun in this browser, or long ago. Please begin again.", http.StatusBadRequest)
		return
	}
	if query.Has("error") { // the user has refused, for instance
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	token, err := s.provider.oauth.Exchange(r.Context(), query.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	subject, err := s.provider.subject(r.Context(), token, a.Nonce)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	tokens, err := s.auth.SignIn(r.Context(), jwtgate.HTTPRequest(r), subject)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if !nethttp.Send(w, tokens.Cookies()) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// failed answers if the provider, or this server, cannot sign the user in. The cause may
// have details of the provider, so it goes to the log only.
func (signIn) failed(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "sign-in failed", "cause", err)
	http.Error(w, "The sign-in has failed. Please try again.", http.StatusBadGateway)
}

// setAttempt sets the cookie for maxAge seconds. SameSite is Lax: with Strict, the browser
// would not send the cookie when it comes back from the provider.
func setAttempt(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: attemptCookie, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// attemptOf returns the attempt of the browser that sent r.
func attemptOf(r *http.Request) (a attempt, ok bool) {
	cookie, err := r.Cookie(attemptCookie)
	if err != nil {
		return attempt{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return attempt{}, false
	}
	return a, json.Unmarshal(text, &a) == nil && a.State != ""
}
