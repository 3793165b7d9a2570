package jwtclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// refresh exchanges a refresh token for new tokens (RFC 6749 §6). It gives up if
// SignOut is called.
func (t *Transport) refresh(ctx context.Context, token string, signOuts int) (Tokens, error) {
	var next Tokens
	err := retry(ctx, func(ctx context.Context) (err error) {
		if t.signedOutSince(signOuts) {
			return ErrSignedOut
		}
		next, err = t.exchange(ctx, t.refreshURL, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
		return err
	})
	if next.Refresh == "" {
		next.Refresh = token // the server does not rotate refresh tokens
	}
	return next, err
}

// endSession ends the session of a refresh token, if token is not empty.
func (t *Transport) endSession(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	err := retry(ctx, func(ctx context.Context) error {
		_, err := t.post(ctx, t.logoutURL, url.Values{"refresh_token": {token}})
		return err
	})
	if err != nil {
		return fmt.Errorf("jwtclient: sign out: %w", err)
	}
	return nil
}

// exchange posts form to an endpoint that responds with tokens (RFC 6749 §5.1).
func (t *Transport) exchange(ctx context.Context, target string, form url.Values) (Tokens, error) {
	body, err := t.post(ctx, target, form)
	if err != nil {
		return Tokens{}, err
	}
	var response struct {
		Access    string      `json:"access_token"`
		Type      string      `json:"token_type"`
		ExpiresIn json.Number `json:"expires_in"`
		Refresh   string      `json:"refresh_token"`
	}
	err = json.Unmarshal(body, &response)
	if err != nil || !visibleASCII(response.Access) || !strings.EqualFold(response.Type, "Bearer") {
		return Tokens{}, &temporaryError{err: fmt.Errorf("POST %s: the response has no Bearer token (RFC 6749 §5.1)", target)}
	}
	tokens := Tokens{Access: response.Access, Refresh: response.Refresh}
	if seconds, err := response.ExpiresIn.Float64(); err == nil && seconds > 0 {
		tokens.Expires = time.Now().Add(time.Duration(min(seconds, maxExpiresIn) * float64(time.Second)))
	}
	return tokens, nil
}

// maxResponse is how many bytes of a response are read. Valid responses are much
// shorter.
const maxResponse = 64 << 10

// maxExpiresIn is the longest lifetime in seconds, ten years. Longer ones are
// shortened to it.
const maxExpiresIn = 10 * 365 * 24 * 60 * 60

// post posts form to an endpoint and returns the body of the response if its
// status is 2xx. It does not follow redirects, because one could send the tokens to
// any other host: t.base sends the request, without an http.Client.
func (t *Transport) post(ctx context.Context, target string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, &temporaryError{err: fmt.Errorf("POST %s: %w", target, err)}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		if err != nil {
			return nil, &temporaryError{err: fmt.Errorf("POST %s: %w", target, err)}
		}
		return body, nil
	}
	refusal := readRefusal(res, body)
	err = fmt.Errorf("POST %s: %s", target, res.Status)
	if refusal.Code != "" {
		err = fmt.Errorf("%w: %w", err, refusal)
	}
	if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout {
		return nil, &temporaryError{err, refusal.RetryAfter}
	}
	return nil, err
}

// readRefusal reads an error response: a problem document of package jwtgate (RFC
// 9457), or the error response of an OAuth server (RFC 6749 §5.2).
func readRefusal(res *http.Response, body []byte) *jwtgate.Refusal {
	var response struct{ Code, Error, Detail string }
	_ = json.Unmarshal(body, &response) // a body that is not JSON gives no reason
	r := &jwtgate.Refusal{
		Status:     res.StatusCode,
		Code:       jwtgate.Code(response.Code),
		Detail:     response.Detail,
		Challenge:  res.Header.Get("WWW-Authenticate"),
		OAuthError: response.Error,
		RetryAfter: parseRetryAfter(res.Header.Get("Retry-After")),
	}
	if !visibleASCII(response.Code) {
		r.Code = ""
	}
	if r.Code == "" && visibleASCII(response.Error) {
		r.Code = jwtgate.Code(response.Error)
	}
	return r
}

// codeStale is the code of a refresh token whose successor is in use: the session goes
// on, and the store may have the successor by now.
const codeStale = "refresh_stale"

// sessionEnded reports whether err says that the refresh token is not valid, so
// that the session cannot continue.
func sessionEnded(err error) bool {
	var r *jwtgate.Refusal
	return errors.As(err, &r) && r.Code != codeStale && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnauthorized) &&
		(r.OAuthError == "invalid_grant" || strings.HasPrefix(string(r.Code), "refresh_"))
}

// visibleASCII reports whether text is not empty and has visible ASCII characters
// only. Every token that can be sent in a header field has.
func visibleASCII(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return text != ""
}
