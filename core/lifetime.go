package jwtgate

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A Lifetime is how long a session lives if its login chooses that, as a login form with
// the box "remember me" does. Refreshing does not change the choice. The zero Lifetime is
// that of [SessionConfig].
type Lifetime struct {
	// RefreshTTL is how long the session lives without a refresh, rounded up to whole
	// seconds. It is at least a second. The default is [SessionConfig].RefreshTTL.
	RefreshTTL time.Duration

	// SessionTTL is how long the session lives at most, rounded up to whole seconds. It is
	// at least a second, and may be longer than [SessionConfig].SessionTTL, the default.
	SessionTTL time.Duration

	// Transient makes the cookies those of a browser session: they have no Max-Age, and
	// the browser deletes them when it is closed. Many browsers keep them if they open
	// the pages of the last time again, so choose a short RefreshTTL, too.
	Transient bool
}

// A LifetimeChoice returns the lifetime of the session of a login that [Auth.Login] or
// [Auth.Token] has accepted. The function parameter returns a parameter of the body that
// is a string, such as remember of a form, and the empty string if it is absent. A
// LifetimeChoice must be safe for concurrent use.
type LifetimeChoice func(ctx context.Context, subject string, parameter func(name string) string) Lifetime

// choose returns the Lifetime of choices, which has at most one element.
func choose(ctx context.Context, choices []LifetimeChoice, subject string, parameters map[string]string) Lifetime {
	for _, choice := range choices {
		if choice != nil {
			return choice(ctx, subject, func(name string) string { return parameters[name] })
		}
	}
	return Lifetime{}
}

// maxChosen is the longest duration that a login can choose, 68 years. A longer one is cut.
const maxChosen = math.MaxInt32 * time.Second

// lifetime returns l with its defaults, in whole seconds, or an error for a mistake in it.
func (s *sessions) lifetime(l Lifetime) (Lifetime, error) {
	for _, d := range []struct {
		name      string
		chosen    *time.Duration
		byDefault time.Duration
	}{{"RefreshTTL", &l.RefreshTTL, s.RefreshTTL}, {"SessionTTL", &l.SessionTTL, s.SessionTTL}} {
		switch {
		case *d.chosen == 0:
			*d.chosen = d.byDefault
		case *d.chosen < time.Second:
			return Lifetime{}, fmt.Errorf("jwtgate: Lifetime.%s is %v: use at least a second, or 0 for %v", d.name, *d.chosen, d.byDefault)
		default:
			*d.chosen = wholeSeconds(*d.chosen)
		}
	}
	return l, nil
}

// wholeSeconds returns d rounded up to whole seconds.
func wholeSeconds(d time.Duration) time.Duration {
	return (min(d, maxChosen) + time.Second - 1) / time.Second * time.Second
}

// note returns l, as the login has chosen it, as the number that the record of its
// session has: the seconds of RefreshTTL, and Transient in the last bit. It is zero for
// the default, which changes with the configuration.
func (l Lifetime) note() uint32 {
	note := uint32(wholeSeconds(l.RefreshTTL)/time.Second) * 2 //nolint:gosec // not negative, and at most MaxInt32 seconds
	if l.Transient {
		note++
	}
	return note
}

// lifetimeOf returns the Lifetime that the login of r has chosen, without its SessionTTL,
// which the record has as its Limit.
func (s *sessions) lifetimeOf(r *session.Record) Lifetime {
	l := Lifetime{RefreshTTL: time.Duration(r.Note/2) * time.Second, Transient: r.Note%2 == 1}
	if l.RefreshTTL <= 0 {
		l.RefreshTTL = s.RefreshTTL
	}
	return l
}

// policyOf returns the policy for a step of r.
func (s *sessions) policyOf(r *session.Record) session.Policy {
	policy := s.policy
	policy.Idle = s.lifetimeOf(r).RefreshTTL + s.grace
	return policy
}
