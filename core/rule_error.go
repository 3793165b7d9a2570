package jwtgate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The causes of the refusals of rules. They are formatted only when they are logged or
// sent.

// A roleError says that an identity does not have a role.
type roleError struct {
	role string
	id   *Identity
}

func (e *roleError) Error() string { return "jwtgate: " + e.explain(nil) }
func (e *roleError) Unwrap() error { return errForbidden }

func (e *roleError) explain(*facts) string {
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

func (e *scopeError) Error() string { return "jwtgate: " + e.explain(nil) }
func (e *scopeError) Unwrap() error { return errForbidden }

func (e *scopeError) explain(*facts) string {
	text := fmt.Sprintf("the route needs the scope %s, and the token has ", shown(e.scope))
	if scopes := slices.Collect(e.id.Scopes()); len(scopes) > 0 {
		return text + "the scopes " + shownList(scopes)
	}
	return text + "no scopes in scope or scp: ask the issuer for a token with this scope"
}

// An anyError says that an identity meets none of the rules of an [AnyOf].
type anyError struct{ first, next error }

func (e *anyError) Error() string   { return "jwtgate: " + e.explain(nil) }
func (e *anyError) Unwrap() []error { return []error{e.first, e.next} }

func (e *anyError) explain(*facts) string {
	return strings.TrimPrefix(e.first.Error(), "jwtgate: ") + "; or " + strings.TrimPrefix(e.next.Error(), "jwtgate: ")
}

// A claimsError says that claims do not fit the type of a route.
type claimsError struct{ cause error }

func (e *claimsError) Error() string {
	return "jwtgate: the claims do not fit the route: " + strings.TrimPrefix(e.cause.Error(), "jwtgate: ")
}
func (e *claimsError) Unwrap() error { return e.cause }

func (e *claimsError) explain(*facts) string {
	return "the claims do not fit the type of the route (ClaimsOf): " + printable(strings.TrimPrefix(e.cause.Error(), "jwtgate: "), 2*maxShown)
}

// A loginError says that a login is older than [RecentLogin] allows.
type loginError struct {
	maxAge time.Duration
	login  time.Time // zero if the token does not say
	now    time.Time
}

func (e *loginError) Error() string { return "jwtgate: " + e.explain(nil) }

func (e *loginError) explain(*facts) string {
	text := fmt.Sprintf("the route needs a login at most %v ago (RecentLogin), and ", e.maxAge)
	if e.login.IsZero() {
		return text + "the token has no auth_time"
	}
	return text + fmt.Sprintf("auth_time is %v ago", e.now.Sub(e.login).Round(time.Second))
}
