package jwtgate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A ruleError is the cause of a refusal by a rule. It is formatted only when it is logged
// or sent.
type ruleError interface {
	error
	text() string // explains the refusal to a developer
}

// ruleText explains the refusal by a rule because of err. It returns "" if err is not about
// a rule of this package. It never contains the text of an error of the application.
func ruleText(err error) string {
	var own ruleError
	switch {
	case errors.As(err, &own):
		return own.text()
	case errors.Is(err, errCheck):
		return "a Check of the route refuses the token"
	case errors.Is(err, errZeroRule):
		return "a rule of the route is the zero Rule, which refuses every request: make rules with functions such as Role"
	case errors.Is(err, errNotOwn):
		return "the endpoint is for tokens with a subject that this server has issued, not for those of Config.Trusted"
	}
	return ""
}

// A roleError says that an identity does not have a role.
type roleError struct {
	role string
	id   *Identity
}

func (e *roleError) Error() string { return "jwtgate: " + e.text() }
func (e *roleError) Unwrap() error { return errForbidden }

func (e *roleError) text() string {
	i, roles := e.id.key.issuer, slices.Collect(e.id.Roles())
	option := i.option("RoleClaims")
	text := fmt.Sprintf("the route needs the role %s, and the token has ", shown(e.role))
	if len(roles) == 0 {
		text += fmt.Sprintf("no roles in %s (%s)", shownList(i.roleClaims), option)
		if other := e.otherClaim(); other != "" {
			return text + fmt.Sprintf("; it has %s, which %s can name", shown(other), option)
		}
		return text
	}
	text += fmt.Sprintf("the roles %s (%s)", shownList(roles), option)
	for _, role := range roles {
		switch {
		case strings.EqualFold(role, e.role):
			return text + ": upper and lower case matter"
		case strings.EqualFold(strings.TrimSpace(role), e.role):
			return text + ": spaces matter"
		case slices.Contains(strings.FieldsFunc(role, func(r rune) bool { return r == ' ' || r == ',' }), e.role):
			return text + ": one string is one role, and is never split"
		}
	}
	return text
}

// otherClaim returns the place of a claim that may have roles and is not configured, ""
// if the token has none.
func (e *roleError) otherClaim() string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(e.id.payload), &members) != nil {
		return ""
	}
	for _, other := range []struct{ name, place string }{
		{"roles", "roles"}, {"role", "role"}, {"groups", "groups"}, {"permissions", "permissions"},
		{"authorities", "authorities"}, {"cognito:groups", "cognito:groups"}, {"realm_access", "/realm_access/roles"},
	} {
		if members[other.name] != nil && !slices.Contains(e.id.key.roleClaims, other.place) {
			return other.place
		}
	}
	return ""
}

// A scopeError says that an identity does not have a scope.
type scopeError struct {
	scope string
	id    *Identity
}

func (e *scopeError) Error() string { return "jwtgate: " + e.text() }
func (e *scopeError) Unwrap() error { return errForbidden }

func (e *scopeError) text() string {
	text := fmt.Sprintf("the route needs the scope %s, and the token has ", shown(e.scope))
	if scopes := slices.Collect(e.id.Scopes()); len(scopes) > 0 {
		return text + "the scopes " + shownList(scopes)
	}
	return text + "no scopes in scope or scp: ask the issuer for a token with this scope"
}

// An anyError says that an identity meets none of the rules of an [AnyOf].
type anyError struct{ first, next error }

func (e *anyError) Error() string {
	return e.first.Error() + "; or " + strings.TrimPrefix(e.next.Error(), "jwtgate: ")
}
func (e *anyError) Unwrap() []error { return []error{e.first, e.next} }

func (e *anyError) text() string { return ruleText(e.first) + "; or " + ruleText(e.next) }

// A claimsError says that claims do not fit the type of a route.
type claimsError struct{ cause error }

func (e *claimsError) Error() string {
	return "jwtgate: the claims do not fit the route: " + strings.TrimPrefix(e.cause.Error(), "jwtgate: ")
}
func (e *claimsError) Unwrap() error { return e.cause }

func (e *claimsError) text() string {
	return "the claims do not fit the type of the route (ClaimsOf): " + printable(strings.TrimPrefix(e.cause.Error(), "jwtgate: "), 2*maxShown)
}

// A loginError says that a login is older than [RecentLogin] allows.
type loginError struct {
	maxAge time.Duration
	login  time.Time // zero if the token does not say
	now    time.Time
}

func (e *loginError) Error() string { return "jwtgate: " + e.text() }

func (e *loginError) text() string {
	text := fmt.Sprintf("the route needs a login at most %v ago (RecentLogin), and ", e.maxAge)
	if e.login.IsZero() {
		return text + "the token has no auth_time"
	}
	return text + fmt.Sprintf("auth_time is %v ago", e.now.Sub(e.login).Round(time.Second))
}
