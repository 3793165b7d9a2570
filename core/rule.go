package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A Rule is what a route asks of those it lets in, beyond a good token. All
// rules given to Protect must hold. The zero Rule refuses everyone.
type Rule struct {
	optional bool
	check    func(context.Context, *Identity, *Auth) error
}

var (
	errForbidden = errors.New("jwtgate: a rule refuses this identity")
	errClaims    = errors.New("jwtgate: claims are not what the route needs")
)

// Role wants the token to have role (see [Config.RolesPath]), to the letter.
func Role(role string) Rule {
	return Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
		return allow(id.HasRole(role), "role")
	}}
}

// Scope wants the token to have scope: a word of the scope claim (RFC 6749
// §3.3, RFC 8693 §4.2), which may also be an array, or be called scp.
func Scope(scope string) Rule {
	return Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
		return allow(id.HasScope(scope), "scope")
	}}
}

// AnyOf wants one of the rules to hold.
func AnyOf(first Rule, more ...Rule) Rule {
	return Rule{check: func(ctx context.Context, id *Identity, a *Auth) error {
		err := first.apply(ctx, id, a)
		for _, rule := range more {
			if err == nil {
				break
			}
			// Trouble with one rule must not hide behind the refusal of another.
			if next := rule.apply(ctx, id, a); next == nil || errors.Is(err, errForbidden) {
				err = next
			}
		}
		return err
	}}
}

// AllOf wants all of the rules to hold, as Protect does with its own. It is of
// use inside [AnyOf].
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

// Check is a rule of the application's own. It is asked on every request, so it
// should be quick, and must be safe for concurrent use. False refuses with 403;
// an error is trouble on this side, and refuses with 503. Nil refuses everyone.
func Check(ok func(ctx context.Context, id *Identity) (bool, error)) Rule {
	if ok == nil {
		return Rule{}
	}
	return Rule{check: func(ctx context.Context, id *Identity, _ *Auth) error {
		allowed, err := ok(ctx, id)
		if err != nil {
			return err
		}
		return allow(allowed, "application")
	}}
}

// ClaimsOf wants the token's claims to decode into a T, and, if T or *T has a method
// Validate() error, that to return nil. The handler can then rely on [Claims];
// a token that does not fit is refused with 401.
func ClaimsOf[T any]() Rule {
	return Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
		if _, err := decodeClaims[T](id, true); err != nil {
			return fmt.Errorf("%w: %w", errClaims, err)
		}
		return nil
	}}
}

// RecentLogin wants the subject to have proved who it is (auth_time) at most
// maxAge ago: for what a device that was left open must not do. Refreshing does
// not make a login recent. The refusal is 401 with the challenge of RFC 9470 §3,
// which leaves the session alone: signing in again mends it.
func RecentLogin(maxAge time.Duration) Rule {
	return Rule{check: func(_ context.Context, id *Identity, a *Auth) error {
		since := a.config.Now().Sub(id.AuthTime())
		// One in the future is as good as none, however far the clocks are off.
		if !id.AuthTime().IsZero() && since <= maxAge && since >= -max(a.config.Leeway, time.Second) {
			return nil
		}
		r := refuse(CodeLoginTooOld, nil)
		r.Challenge = fmt.Sprintf(`Bearer error="insufficient_user_authentication", max_age="%d"`, int64(maxAge/time.Second))
		return r
	}}
}

// Optional lets requests without credentials through, with no identity in the
// context. Credentials that are there must still be good, and other rules of
// the same Protect still need an identity.
func Optional() Rule { return Rule{optional: true} }

// apply returns nil if id fulfils r, else an error that [ruleRefusal] understands.
func (r Rule) apply(ctx context.Context, id *Identity, a *Auth) error {
	switch {
	case r.check != nil:
		return r.check(ctx, id, a)
	case r.optional:
		return nil
	}
	return fmt.Errorf("%w: the zero Rule", errForbidden)
}

func allow(ok bool, what string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: %s", errForbidden, what)
}

// ruleRefusal returns how an error of a rule is answered: 401 for claims that
// make no sense here, 403 for who may not, and 503 for what is not the client's
// doing, unless the error is a Refusal itself.
func ruleRefusal(err error) *Refusal {
	if own := (*Refusal)(nil); errors.As(err, &own) && own.Status >= http.StatusBadRequest {
		return own
	}
	switch {
	case errors.Is(err, errForbidden):
		return refuse(CodeInsufficientScope, err)
	case errors.Is(err, errClaims):
		return refuse(CodeTokenInvalid, err)
	}
	return refuse(CodeUnavailable, err)
}

// anonymous reports whether rules let requests without an identity through.
func anonymous(rules []Rule) bool {
	optional := false
	for _, rule := range rules {
		if rule.check != nil || !rule.optional {
			return false
		}
		optional = true
	}
	return optional
}
