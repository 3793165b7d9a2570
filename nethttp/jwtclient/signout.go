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
	refresh, err := t.clearStore(last)
	ctx, cancel := context.WithTimeout(context.Background(), renewalTimeout)
	defer cancel()
	return errors.Join(err, t.endSession(ctx, refresh))
}

// clearStore removes the tokens from the store. It returns the newest refresh token of
// their session, even if the store fails, or "" if there is none.
func (t *Transport) clearStore(last *activeTokens) (refresh string, err error) {
	if last != nil {
		refresh = last.Refresh
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*renewalTimeout) // first a renewal may hold storeLock
	defer cancel()
	if err := t.lockStore(ctx); err != nil {
		return refresh, err
	}
	defer t.unlockStore()
	refresh = t.successor(refresh)
	err = t.store.Update(ctx, func(stored Tokens) (Tokens, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.signedOut {
			return stored, nil // somebody has signed in again, and these are the new tokens
		}
		if stored.Refresh != "" {
			refresh = t.successor(stored.Refresh)
		}
		return Tokens{}, nil
	})
	return refresh, err
}

// successor returns the refresh token that has replaced refresh and that the store failed
// to store, or refresh if there is none. The caller holds storeLock.
func (t *Transport) successor(refresh string) string {
	if t.unsaved.succeed(refresh) {
		return t.unsaved.Refresh
	}
	return refresh
}
