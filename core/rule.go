package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Rule is a requirement of a route beyond a valid token. All rules given to Protect
// must hold. The zero Rule refuses every request.
type Rule struct {
	optional  bool
	noRenewal bool
	check     func(context.Context, *Identity, *Auth) error
}

var (
	errForbidden = errors.New("jwtgate: a rule refuses this identity")
	errCheck     = fmt.Errorf("%w: a Check of the application", errForbidden)
	errZeroRule  = fmt.Errorf("%w: the zero Rule, which refuses every request", errForbidden)
)

// Role requires role to be one of the token's roles (see [Config.RoleClaims]). Case
// matters.
func Role(role string) Rule {
	return Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
		if !id.HasRole(role) {
			return &roleError{role, id}
		}
		return nil
	}}
}

// Scope requires scope to be one of the token's scopes: a word of the claim scope
// (RFC 6749 §3.3, RFC 8693 §4.2) or, if that is absent, of scp. Either claim can also
// be an array.
func Scope(scope string) Rule {
	return Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
		if !id.HasScope(scope) {
			return &scopeError{scope, id}
		}
		return nil
	}}
}

// AnyOf requires at least one of the rules to hold.
func AnyOf(first Rule, more ...Rule) Rule {
	return Rule{check: func(ctx context.Context, id *Identity, a *Auth) error {
		err := first.apply(ctx, id, a)
		for _, rule := range more {
			if err == nil {
				break
			}
			// An error from one rule takes precedence over a refusal by another.
			next := rule.apply(ctx, id, a)
			switch {
			case next == nil:
				err = nil
			case errors.Is(err, errForbidden) && errors.Is(next, errForbidden):
				err = &anyError{err, next}
			case errors.Is(err, errForbidden):
				err = next
			}
		}
		return err
	}}
}

// AllOf requires all of the rules to hold, as Protect does. It is useful inside
// [AnyOf].
func AllOf(first Rule, more ...Rule) Rule {
	return Rule{check: func(ctx context.Context, id *Identity, a *Auth) error {
		err := first.apply(ctx, id, a)
		for _, rule := range more {
			if err == nil {
				err = rule.apply(ctx, id, a)
			}
		}
		return err
	}}
}

// Check is a rule of the application. The function is called for every request, so it
// should be fast, and must be safe for concurrent use. If it returns false, the
// request is refused with 403; if it returns an error, with 503. With a nil function,
// every request is refused.
func Check(ok func(ctx context.Context, id *Identity) (bool, error)) Rule {
	if ok == nil {
		return Rule{}
	}
	return Rule{check: func(ctx context.Context, id *Identity, _ *Auth) error {
		allowed, err := ok(ctx, id)
		if err != nil {
			return err
		}
		if !allowed {
			return errCheck
		}
		return nil
	}}
}

// ClaimsOf requires the token's claims to decode into a T. If T or *T has a method
// Validate() error, it must return nil. The handler can then rely on [Claims]. Other
// tokens are refused with 401. With [Config.Debug], the client gets the text of the error,
// so it must not contain a secret.
func ClaimsOf[T any]() Rule {
	return Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
		if _, err := decodeClaims[T](id, true); err != nil {
			return &claimsError{err}
		}
		return nil
	}}
}

// RecentLogin requires the subject to have authenticated (auth_time) at most maxAge
// ago, for actions that an unattended device must not allow. Refreshing does not make
// a login recent. The refusal is 401 with the challenge of RFC 9470 §3. It does not
// end the session: the user has to sign in again.
func RecentLogin(maxAge time.Duration) Rule {
	return Rule{check: func(_ context.Context, id *Identity, a *Auth) error {
		now := a.config.Now()
		since := now.Sub(id.AuthTime())
		// An auth_time in the future counts as absent.
		if !id.AuthTime().IsZero() && since <= maxAge && since >= -time.Duration(id.key.clockSkew)*time.Second {
			return nil
		}
		r := refuse(CodeLoginTooOld, &loginError{maxAge, id.AuthTime(), now})
		r.Challenge = fmt.Sprintf(`Bearer error="insufficient_user_authentication", max_age="%d"`, int64(maxAge/time.Second))
		return r
	}}
}

// Optional lets requests without credentials through, with no identity in the context.
// A Bearer token that is present must still be valid, and other rules of the same
// Protect still need an identity.
//
// A browser whose session is over is anonymous, and the answer deletes its cookies. Its
// session is over if it has expired or was ended, if the store has lost it, or if the key
// of its tokens is gone. A browser whose cookies cannot be used for the moment is anonymous
// and keeps them: its refresh token was just replaced, or the clock of the process that
// issued its access token is ahead. A forged access cookie is refused.
func Optional() Rule { return Rule{optional: true} }

// NoRenewal is for guards whose answer does not reach the browser, such as those of
// sub-requests: auth_request of nginx, and what other proxies call forward
// authentication. A proxy drops the cookies of such an answer. The guard judges the
// request, but never renews, sets or deletes cookies: it refuses an expired access
// token with 401, and the browser's next request to another guard is renewed.
//
// Give it to Protect itself, not to [AnyOf] or [AllOf].
func NoRenewal() Rule { return Rule{noRenewal: true} }

// apply returns nil if id meets r, else an error for [ruleRefusal].
func (r Rule) apply(ctx context.Context, id *Identity, a *Auth) error {
	switch {
	case r.check != nil:
		return r.check(ctx, id, a)
	case r.optional, r.noRenewal:
		return nil
	}
	return errZeroRule
}

// ruleRefusal returns the refusal for an error of a rule: the error itself if it is a
// Refusal, else 401 for claims that do not fit, 403 for a rule that is not met, and
// 503 for an internal error.
func ruleRefusal(err error) *Refusal {
	if own := (*Refusal)(nil); errors.As(err, &own) && own.Status >= http.StatusBadRequest {
		return own
	}
	switch {
	case errors.Is(err, errForbidden):
		return refuse(CodeInsufficientScope, err)
	}
	if misfit := (*claimsError)(nil); errors.As(err, &misfit) {
		return refuse(CodeTokenInvalid, err)
	}
	return refuse(CodeUnavailable, err)
}

// anonymous reports whether rules let requests without an identity through.
func anonymous(rules []Rule) bool {
	optional := false
	for _, rule := range rules {
		switch {
		case rule.check == nil && rule.optional:
			optional = true
		case rule.check != nil || !rule.noRenewal:
			return false
		}
	}
	return optional
}

// withoutRenewal reports whether [NoRenewal] is one of rules.
func withoutRenewal(rules []Rule) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.noRenewal })
}
