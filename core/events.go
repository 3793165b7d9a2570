package jwtgate

import "context"

// An Event is something that happened to a session, or to the keys of an issuer,
// for audit logs, metrics and alarms. It holds no token and no key.
type Event struct {
	Kind      EventKind
	Subject   string // empty if it is not known
	SessionID string // empty if it is not known
	UserAgent string // of the request, cut short
	Issuer    string // whose keys it is about, empty for sessions
	Err       error  // the cause of trouble
}

// An EventKind is what happened.
type EventKind string

// The kinds. Those marked with an alarm are worth waking someone up for.
const (
	EventSignedIn  EventKind = "signed_in"  // a session began
	EventRotated   EventKind = "rotated"    // a refresh token was replaced
	EventRepeated  EventKind = "repeated"   // a refresh token was used again within the window
	EventHealed    EventKind = "healed"     // alarm: the store had lost rotations
	EventReused    EventKind = "reused"     // alarm: a replaced refresh token was used, and the session ended
	EventForged    EventKind = "forged"     // alarm: a refresh token by our key that no session of ours made
	EventEnded     EventKind = "ended"      // a session was ended on purpose
	EventEndedAll  EventKind = "ended_all"  // all sessions of a subject were ended, but perhaps one
	EventDisabled  EventKind = "disabled"   // the subject is no more, and the session ended
	EventStoreDown EventKind = "store_down" // alarm: the store, its feed or the subject loader failed

	// Those of RemoteKeys, told in the background.
	EventKeysDown    EventKind = "keys_down"    // alarm: the keys of an issuer cannot be fetched
	EventKeySkipped  EventKind = "key_skipped"  // alarm: a key of an issuer cannot be used, and is passed over
	EventKeysChanged EventKind = "keys_changed" // an issuer has other keys than before
)

// tell passes e on.
func (a *Auth) tell(ctx context.Context, e Event) {
	if a.config.Events != nil {
		a.config.Events(ctx, e)
	}
}
