package jwtgate

import (
	"context"
	"net/netip"
)

// An Event is something that happened to a session or to the keys of an issuer, for
// audit logs, metrics and alerts. It contains no token and no key.
type Event struct {
	Kind      EventKind
	Subject   string // empty if it is not known
	SessionID string // empty if it is not known
	UserAgent string // of the request, shortened

	// Username is the name in a login that was refused, shortened, as the client sent
	// it. Users sometimes type their password there.
	Username string

	// Address is the client's, for signed_in, login_failed and throttled. The zero
	// Addr means that it is not known. See Config.ClientAddress.
	Address netip.Addr

	Issuer string // of the keys, empty for sessions
	Err    error  // the cause of a failure
}

// An EventKind says what happened.
type EventKind string

// The kinds of events. Those marked with alert need attention.
const (
	EventSignedIn     EventKind = "signed_in"       // a session began
	EventRotated      EventKind = "rotated"         // a refresh token was replaced
	EventRepeated     EventKind = "repeated"        // a refresh token that was replaced, or issued a moment ago, was used again
	EventHealed       EventKind = "healed"          // alert: the store has lost rotations of the session
	EventReused       EventKind = "reused"          // alert: a replaced refresh token was used, and the session was ended
	EventForged       EventKind = "forged"          // alert: a refresh token has a valid MAC but does not match its session
	EventEnded        EventKind = "ended"           // a session was ended on purpose
	EventEndedAll     EventKind = "ended_all"       // all sessions of a subject were ended, except those to keep
	EventDisabled     EventKind = "disabled"        // the subject does not exist any more, and the session was ended
	EventLoginFailed  EventKind = "login_failed"    // a login with a wrong name or password, or of a disabled subject
	EventThrottled    EventKind = "throttled"       // a login was refused by the LoginLimiter: many of them are an attack
	EventTooLarge     EventKind = "token_too_large" // alert: no token can be issued for the subject, because its Grant is too large
	EventStoreDown    EventKind = "store_down"      // alert: the store, its feed or the subject loader failed
	EventStoreEmptied EventKind = "store_emptied"   // alert: the store has lost its data, as Auth.Ready has noticed

	// The kinds for keys.Remote, which are reported in the background.
	EventKeysDown    EventKind = "keys_down"    // alert: the keys of an issuer cannot be fetched
	EventKeySkipped  EventKind = "key_skipped"  // alert: a key of an issuer cannot be used and is skipped
	EventKeysChanged EventKind = "keys_changed" // an issuer has other keys than before
)

// tell reports e to the application.
func (a *Auth) tell(ctx context.Context, e Event) {
	for _, f := range a.observers.event {
		f(ctx, e)
	}
}
