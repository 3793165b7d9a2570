package jwtclient

import "context"

// A Store keeps the tokens of one session. Whether several Transports or several
// processes can share it is for the implementation to say.
//
// A refresh token can be used only once. Reading the tokens, exchanging them and
// storing the new ones must therefore be one exclusive operation. That is why a
// Store has a single method, and not one to read and one to write.
//
// A Store must be safe for concurrent use.
type Store interface {
	// Update calls change with the stored tokens, or with zero Tokens if none are
	// stored. It stores the tokens that change returns, durably, and then returns.
	// Zero Tokens remove the stored ones.
	//
	// Only one Update runs at a time; others wait until it returns. That can take
	// half a minute, because change may send requests to a server.
	//
	// If change returns an error, Update stores nothing and returns that error. If
	// ctx ends while Update waits for another one, Update does not call change, and
	// returns an error that wraps the one of ctx.
	Update(ctx context.Context, change func(stored Tokens) (Tokens, error)) error
}

// memoryStore is the Store of a Transport that was configured without one. It has
// no lock of its own: the Transport calls Update only while it holds storeLock.
type memoryStore struct{ stored Tokens }

func (m *memoryStore) Update(_ context.Context, change func(Tokens) (Tokens, error)) error {
	next, err := change(m.stored)
	if err == nil {
		m.stored = next
	}
	return err
}
