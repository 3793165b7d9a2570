package jwtgate

import (
	"context"
	"time"
)

// An Observer has functions that an [Auth] calls while it works: metrics, traces, audit
// logs and access logs are made of them. Package telemetry, a module below core, has
// one for OpenTelemetry. A nil function is not called. The functions are called
// synchronously and delay the request, so they should be fast, and they must be safe
// for concurrent use. What they get contains no token and no key.
type Observer struct {
	_ [0]func()

	// Outcome is called once for each request that guards and an [Endpoint] of the Auth
	// have judged, however many there are: before the answer is sent, if one of them
	// answers, and else when the handler has returned and Decision.Done is called. The
	// context is that of the request. An outer middleware that wants to know the user can
	// put a pointer into that context, and have Outcome fill in what it points to.
	Outcome func(ctx context.Context, o Outcome)

	// Event is called for each [Event] of a session, before the answer to the request
	// is sent, and of the keys of a [keys.Remote].
	Event func(ctx context.Context, e Event)

	// StoreUse is called after each call of a method of SessionConfig.Store, also if the
	// call was not made because the store hangs, and when its Feed has ended.
	StoreUse func(ctx context.Context, u StoreUse)

	// KeyFetch is called after each attempt to fetch the keys of a [keys.Remote].
	KeyFetch func(ctx context.Context, f KeyFetch)
}

// An Outcome is what has become of a request.
type Outcome struct {
	Endpoint string // the name of the endpoint that answers, such as "login"; empty for a guard

	Status  int       // of the answer; zero if a guard lets the request through
	Code    Code      // of the refusal; empty if the request is not refused
	Refusal *Refusal  // nil if the request is not refused
	Judged  Judgement // how the access token was judged

	// Identity is the user: of the access token, or of the tokens that a login or a
	// refresh has issued. It is set too if the request is refused although the signature
	// of its token is good, such as for an expired token or a missing role: check Code.
	// It is nil if the request has no such token.
	Identity *Identity

	// Issuer is the issuer of Identity, or the one whose keys are unavailable. It is
	// empty if it is not known, and with [Config.InsecureAnyIssuer], so that it always is
	// one of the issuers that are configured, or one that the Match of a [TrustedIssuer]
	// accepts.
	Issuer string

	// Duration is how long the guard or the endpoint that decided took, without the
	// handler.
	Duration time.Duration
}

// A Judgement says how an access token was judged.
type Judgement string

// The judgements.
const (
	JudgedNone    Judgement = ""        // there was no token to judge, or it was malformed
	JudgedCold    Judgement = "cold"    // its signature was checked
	JudgedCached  Judgement = "cached"  // it was in the cache of verified tokens
	JudgedRenewed Judgement = "renewed" // a browser's session was renewed, and the new token was issued a moment ago
)

// A StoreUse is one use of the session store.
type StoreUse struct {
	// Operation is the method in lower case: "create", "find", "advance", "confirm",
	// "end", "endall", "list", "revoke" or "feed".
	Operation string
	Duration  time.Duration
	Err       error // nil, or why the store failed
}

// A KeyFetch is one attempt to fetch the keys of an issuer.
type KeyFetch struct {
	Issuer   string
	Duration time.Duration
	Err      error
}

// observers are the functions of [Config.Observers] that are not nil.
type observers struct {
	outcome  []func(context.Context, Outcome)
	event    []func(context.Context, Event)
	storeUse []func(context.Context, StoreUse)
	keyFetch []func(context.Context, KeyFetch)
}

func newObservers(all []Observer) observers {
	return observers{
		outcome:  functions(all, func(o *Observer) func(context.Context, Outcome) { return o.Outcome }),
		event:    functions(all, func(o *Observer) func(context.Context, Event) { return o.Event }),
		storeUse: functions(all, func(o *Observer) func(context.Context, StoreUse) { return o.StoreUse }),
		keyFetch: functions(all, func(o *Observer) func(context.Context, KeyFetch) { return o.KeyFetch }),
	}
}

// functions returns the function that of selects from each observer, if it is not nil.
func functions[T any](all []Observer, of func(*Observer) func(context.Context, T)) (found []func(context.Context, T)) {
	for i := range all {
		if f := of(&all[i]); f != nil {
			found = append(found, f)
		}
	}
	return found
}
