package jwtclient

import (
	"context"
	"errors"
)

// SignOut ends the session. Requests fail with [ErrSignedOut] from now on. SignOut
// then removes the tokens from the store and posts the refresh token to
// Config.LogoutURL. If a renewal is in flight, its tokens are not used, and their
// session is the one that is ended.
//
// SignOut returns an error if the store or the server fails. The Transport is
// signed out even then, and does not use tokens that another process stores until
// the next SignIn or SetTokens. If ctx ends, SignOut returns its error at once and
// finishes in the background.
func (t *Transport) SignOut(ctx context.Context) error {
	t.mu.Lock()
	last := t.active
	t.active, t.failures, t.signedOut = nil, failures{}, true
	t.signOuts++
	t.mu.Unlock()

	done := make(chan error, 1)
	go func() { done <- t.removeTokens(last) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// removeTokens removes the tokens from the store and ends their session. last are
// the tokens that were in use, or nil.
func (t *Transport) removeTokens(last *activeTokens) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*renewalTimeout) // first a renewal may hold storeLock
	defer cancel()
	if err := t.lockStore(ctx); err != nil {
		return err
	}
	defer t.unlockStore()
	refresh := ""
	if last != nil {
		refresh = last.Refresh
	}
	err := t.store.Update(ctx, func(stored Tokens) (Tokens, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.signedOut {
			return stored, nil // somebody has signed in again, and these are the new tokens
		}
		if stored.Refresh != "" {
			refresh = stored.Refresh
		}
		if t.unsaved != nil {
			refresh = t.unsaved.Refresh // newer than the stored one
			t.unsaved = nil
		}
		return Tokens{}, nil
	})
	return errors.Join(err, t.endSession(ctx, refresh))
}
