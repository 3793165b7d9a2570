package jwtclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

const (
	// attemptLimit is how long an attempt takes at most that another one follows.
	// The answer to it may be lost after the server has made new tokens: it gives
	// the same ones again, for 10 seconds by default, so the last attempt must
	// begin before that. It has all the time that is left for its answer.
	attemptLimit = 3 * time.Second

	// longestWait is the Retry-After that is waited for between attempts.
	longestWait = 2 * time.Second

	// maxAnswer is how much of an answer is read, and far more than it has.
	maxAnswer = 64 << 10
)

// waits are between the attempts.
var waits = [...]time.Duration{200 * time.Millisecond, time.Second}

// insist calls attempt until it returns no [passingError], three times at most.
func insist(ctx context.Context, attempt func(context.Context) error) error {
	for _, wait := range waits {
		limited, cancel := context.WithTimeout(ctx, attemptLimit)
		err := attempt(limited)
		cancel()
		var passing *passingError
		if !errors.As(err, &passing) || passing.retryAfter > longestWait {
			return err
		}
		select {
		case <-time.After(max(wait, passing.retryAfter)):
		case <-ctx.Done():
			return err
		}
	}
	return attempt(ctx)
}

// refresh trades a refresh token (RFC 6749 §6). It stops if SignOut is called.
func (t *Transport) refresh(ctx context.Context, token string, signOuts int) (Tokens, error) {
	var next Tokens
	err := insist(ctx, func(ctx context.Context) (err error) {
		if t.signedOutSince(signOuts) {
			return ErrSignedOut
		}
		next, err = t.exchange(ctx, t.refreshURL, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
		return err
	})
	if next.Refresh == "" {
		next.Refresh = token // of a server that does not rotate them
	}
	return next, err
}

// end ends the session of a refresh token.
func (t *Transport) end(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	err := insist(ctx, func(ctx context.Context) error {
		_, err := t.post(ctx, t.logoutURL, url.Values{"refresh_token": {token}})
		return err
	})
	if err != nil {
		return fmt.Errorf("jwtclient: sign out: %w", err)
	}
	return nil
}

// exchange posts form to an endpoint that answers with tokens (RFC 6749 §5.1).
func (t *Transport) exchange(ctx context.Context, target string, form url.Values) (Tokens, error) {
	body, err := t.post(ctx, target, form)
	if err != nil {
		return Tokens{}, err
	}
	var answer struct {
		Access    string      `json:"access_token"`
		Type      string      `json:"token_type"`
		ExpiresIn json.Number `json:"expires_in"`
		Refresh   string      `json:"refresh_token"`
	}
	err = json.Unmarshal(body, &answer)
	if err != nil || !sendable(answer.Access) || !strings.EqualFold(answer.Type, "Bearer") {
		return Tokens{}, &passingError{err: fmt.Errorf("POST %s: the answer has no Bearer token (RFC 6749 §5.1)", target)}
	}
	tokens := Tokens{Access: answer.Access, Refresh: answer.Refresh}
	if seconds, err := answer.ExpiresIn.Float64(); err == nil && seconds > 0 {
		tokens.Expires = time.Now().Add(time.Duration(min(seconds, maxExpiresIn) * float64(time.Second)))
	}
	return tokens, nil
}

// maxExpiresIn is ten years, in seconds.
const maxExpiresIn = 10 * 365 * 24 * 60 * 60

// post posts form to an endpoint and returns what it says, if that is not an
// error. It is sent by the base itself, so redirects are not followed: one could
// take the tokens anywhere.
func (t *Transport) post(ctx context.Context, target string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, &passingError{err: fmt.Errorf("POST %s: %w", target, err)}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		if err != nil {
			return nil, &passingError{err: fmt.Errorf("POST %s: %w", target, err)}
		}
		return body, nil
	}
	refusal := readRefusal(res, body)
	err = fmt.Errorf("POST %s: %s", target, res.Status)
	if refusal.Code != "" {
		err = fmt.Errorf("%w: %w", err, refusal)
	}
	if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout {
		return nil, &passingError{err, refusal.RetryAfter}
	}
	return nil, err
}

// readRefusal reads problem+json as package jwtgate sends it (RFC 9457), or what
// other servers have (RFC 6749 §5.2).
func readRefusal(res *http.Response, body []byte) *jwtgate.Refusal {
	var answer struct{ Code, Error, Detail string }
	_ = json.Unmarshal(body, &answer) // or there is nothing to be told
	r := &jwtgate.Refusal{
		Status:     res.StatusCode,
		Code:       jwtgate.Code(answer.Code),
		Detail:     answer.Detail,
		Challenge:  res.Header.Get("WWW-Authenticate"),
		OAuthError: answer.Error,
		RetryAfter: retryAfter(res.Header.Get("Retry-After")),
	}
	if !sendable(answer.Code) {
		r.Code = ""
	}
	if r.Code == "" && sendable(answer.Error) {
		r.Code = jwtgate.Code(answer.Error)
	}
	return r
}

// retryAfter reads RFC 9110 §10.2.3. Zero is none.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// sessionOver reports whether err is the answer to a refresh token that is good
// for nothing any more.
func sessionOver(err error) bool {
	var r *jwtgate.Refusal
	return errors.As(err, &r) && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnauthorized) &&
		(r.OAuthError == "invalid_grant" || strings.HasPrefix(string(r.Code), "refresh_"))
}

// A passingError is trouble that may be over at the next attempt.
type passingError struct {
	err        error
	retryAfter time.Duration // as the server has it
}

func (e *passingError) Error() string { return e.err.Error() }
func (e *passingError) Unwrap() error { return e.err }

// sendable reports whether a header field can hold text: it is not empty, and of
// visible ASCII alone.
func sendable(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return text != ""
}
