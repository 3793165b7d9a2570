package jwtgate

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
)

// A causer is a cause of a refusal that can explain itself to a developer. The causes
// that are only a sentinel are explained by the table explanations.
//
// Explanations are made when a refusal is sent or logged, and not while a request is
// judged. They say what was found, what was wanted and which field of Config is about
// it. They contain values of claims, of the header of a token and of the configuration,
// but no token, signature, secret or password.
type causer interface {
	error
	explain(f *facts) string
}

// explanations has the causes of refusals without values of their own. The first that
// fits counts: what is wrong with the claims says more than a missing key.
var explanations = []struct {
	cause   error
	explain func(f *facts) string
}{
	{errIssuer, (*facts).issuerText},
	{errNoExpiry, (*facts).expiryText},
	{errIDToken, (*facts).idTokenText},
	{errUse, (*facts).useText},
	{errBound, constant("the token is bound to a key of its client (cnf), whose proof is not supported: ask the issuer for bearer tokens")},
	{errType, (*facts).typeText},
	{errAudience, (*facts).audienceText},
	{errSubject, (*facts).subjectText},
	{errEarly, (*facts).earlyText},
	{errOrder, constant("exp must be later than iat and nbf, and it is not: the issuer makes wrong tokens")},
	{errLifetime, (*facts).lifetimeText},
	{errExpired, (*facts).expiredText},
	{errOldKey, (*facts).keyIDText},
	{errSignature, (*facts).signatureText},
	{errNoKey, (*facts).algorithmText},

	{errTwoHeaders, constant("the request has more than one Authorization field: send one, with one token")},
	{errTwoFields, constant("the request has a field of Config.TokenHeaders more than once: send one, with one token")},
	{errTwoCredentials, constant("the request has more than one token in its header: send one, in one of the places that Authorization, Config.TokenHeaders and Config.WebSocketProtocol give")},
	{errNoProtocol, constant("the WebSocket handshake must offer another subprotocol beside the token, which the server can choose (Config.WebSocketProtocol)")},
	{errTwoCookies, (*facts).twoCookiesText},
	{errTokenSize, (*facts).sizeText},
	{errNotAToken, (*facts).notATokenText},

	{errCompanion, constant("the access token must belong to the session of the refresh token: send the access token that came with it, or none")},
	{refreshtoken.ErrInvalid, constant("the refresh token must be one that was issued for this issuer and audience with a secret of Config.Sessions.Keys, unchanged; an access token is no refresh token")},
	{errNotListed, constant("the session of the token must be live in the store, as Config.Sessions.AllowList says, and it is not")},
	{errBodyType, (*facts).bodyTypeText},
}

// constant returns a function that returns text.
func constant(text string) func(*facts) string { return func(*facts) string { return text } }

// explains reports whether explanations of refusals are wanted.
func (a *Auth) explains(ctx context.Context) bool {
	return a.config.Debug || a.config.Logger.Enabled(ctx, slog.LevelDebug)
}

// explained returns r, the refusal of req, with its explanation if explanations are wanted.
func (a *Auth) explained(ctx context.Context, req *Request, r *Refusal) *Refusal {
	if !a.explains(ctx) {
		return r
	}
	return a.withText(r, a.explain(*req, r)) // a copy: req must not escape to the heap
}

// explainedRule is explained for r, the refusal of a rule. A rule can return the refusal of
// another request by another Auth, so the request is not used to explain r.
func (a *Auth) explainedRule(ctx context.Context, r *Refusal) *Refusal {
	if already := (*explainedError)(nil); !a.explains(ctx) || errors.As(r.Err, &already) {
		return r
	}
	return a.withText(r, ruleText(r.Err))
}

// withText returns r with text, an explanation for developers, as its cause for the log,
// and with Config.Debug also in what the client gets. If text is empty, it returns r.
func (a *Auth) withText(r *Refusal, text string) *Refusal {
	if text == "" {
		return r
	}
	changed := *r // the application can have returned r for other requests, too
	changed.Err = &explainedError{text, r.Err}
	if a.config.Debug {
		changed.Detail = strings.TrimSuffix(r.Detail, ".") + ": " + text + "."
		changed.Challenge = describe(r.Challenge, text)
	}
	return &changed
}

// explain returns the explanation of r, the refusal of req, or "" if there is none. Only
// causes of this package are explained: the text of any other error may have a secret.
func (a *Auth) explain(req Request, r *Refusal) string {
	switch r.Code {
	case CodeUnavailable, CodeInternal, CodeInvalidCredentials, CodeRefreshRevoked:
		// The cause can be an error of the application, such as the refusal of another
		// request by another Auth.
		return ""
	case CodeTokenMissing:
		return a.facts(req).missingText()
	case CodeRefreshMissing:
		return a.facts(req).refreshMissingText()
	}
	if own := causer(nil); errors.As(r.Err, &own) {
		return own.explain(a.facts(req))
	}
	for _, row := range explanations {
		if errors.Is(r.Err, row.cause) {
			f := a.facts(req)
			return f.unverified(r.Err, row.explain(f))
		}
	}
	if r.Code == CodeTokenInvalid {
		return a.facts(req).syntaxText()
	}
	return ""
}

// An explainedError is the cause of a refusal with its explanation.
type explainedError struct {
	text  string
	cause error // nil if the code of the refusal says everything
}

func (e *explainedError) Error() string { return "jwtgate: " + e.text }
func (e *explainedError) Unwrap() error { return e.cause }

// maxDescription is the length of the longest error_description, in bytes.
const maxDescription = 256

// describe returns challenge with text as its error_description (RFC 6750 §3), if it
// has an error: a request without credentials gets none (§3.1).
func describe(challenge, text string) string {
	if !strings.Contains(challenge, "error=") {
		return challenge
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\':
			return '%'
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, text)
	if len(text) > maxDescription {
		text = text[:maxDescription-3] + "..."
	}
	return challenge + `, error_description="` + text + `"`
}
