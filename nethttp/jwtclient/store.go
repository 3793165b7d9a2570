package jwtclient

import (
	"context"
	"time"
)

// Tokens are what a program is signed in with.
type Tokens struct {
	// Access is sent with requests.
	Access string

	// Refresh is traded for new tokens. If it is empty, they end with Access.
	Refresh string

	// Expires is when Access does, by the clock of this machine. Add what remains
	// to [time.Now], and it holds even if that clock is set. Zero is unknown:
	// then only a 401 tells.
	Expires time.Time
}

// live reports whether the access token is good, as far as one can tell.
func (t Tokens) live(now time.Time) bool {
	return t.Access != "" && (t.Expires.IsZero() || now.Before(t.Expires))
}

func (t Tokens) equal(other Tokens) bool {
	return t.Access == other.Access && t.Refresh == other.Refresh && t.Expires.Equal(other.Expires)
}

// A Store keeps the tokens of one session, for one Transport or, if it says
// so, for several processes that share the session. A refresh token is good once,
// so whoever trades it in must be alone with it: that is why a store has this one
// method and not two to read and to write.
//
// A store must be safe for concurrent use.
type Store interface {
	// Update calls change with the tokens that are stored, zero if there are none,
	// and stores what it returns, to stay, before it returns itself. Zero Tokens
	// are as good as none. As long as that takes, nobody else can call Update:
	// change may talk to a server, for up to half a minute.
	//
	// If change returns an error, nothing is stored and Update returns it. If ctx
	// ends before it is one's turn, Update returns that without a call of change.
	Update(ctx context.Context, change func(stored Tokens) (Tokens, error)) error
}

// memoryStore is the store of a Transport without one, whose turns guard it.
type memoryStore struct{ stored Tokens }

func (m *memoryStore) Update(_ context.Context, change func(Tokens) (Tokens, error)) error {
	next, err := change(m.stored)
	if err == nil {
		m.stored = next
	}
	return err
}
