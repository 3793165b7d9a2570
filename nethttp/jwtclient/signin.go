package jwtclient

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// SignIn posts a name and a password to TokenURL, and goes on as [Transport.SetTokens]
// with what it gets. If they are wrong, [errors.As] finds a [jwtgate.Refusal] with
// jwtgate.CodeInvalidCredentials. It is not tried again: that is for the user to do.
func (t *Transport) SignIn(ctx context.Context, username, password string) error {
	t.mu.Lock()
	signOuts := t.signOuts
	t.mu.Unlock()
	tokens, err := t.exchange(ctx, t.tokenURL, url.Values{
		"grant_type": {"password"},
		"username":   {username},
		"password":   {password},
	})
	if err != nil {
		return fmt.Errorf("jwtclient: sign in: %w", err)
	}
	return t.signIn(ctx, tokens, signOuts)
}

// SetTokens signs in with tokens from elsewhere, such as an OAuth callback. They
// are in the store before a request is sent with them; if the store fails, its
// error comes back and nothing has changed. A session that they replace is not
// ended: call [Transport.SignOut] first.
func (t *Transport) SetTokens(ctx context.Context, tokens Tokens) error {
	if !sendable(tokens.Access) {
		return errNotToken
	}
	t.mu.Lock()
	signOuts := t.signOuts
	t.mu.Unlock()
	return t.signIn(ctx, tokens, signOuts)
}

var errNotToken = errors.New("jwtclient: Tokens.Access is not an access token: it is empty, or has what a header field cannot have")

// signIn uses tokens, unless SignOut was called in the meantime: then it ends them.
func (t *Transport) signIn(ctx context.Context, tokens Tokens, signOuts int) error {
	if err := t.takeTurn(ctx); err != nil {
		return err
	}
	defer t.endTurn()
	if t.signedOutSince(signOuts) {
		return errors.Join(ErrSignedOut, t.end(ctx, tokens.Refresh))
	}
	if err := t.store.Update(ctx, func(Tokens) (Tokens, error) { return tokens, nil }); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unsaved = nil
	if t.signOuts != signOuts {
		return ErrSignedOut // SignOut, whose turn is next, ends what is stored
	}
	t.current, t.failed, t.left = newGrant(tokens, time.Now()), failures{}, false
	return nil
}

// SignOut ends the session: from now on, requests fail with [ErrSignedOut]. Then it
// takes the tokens out of the store and posts the refresh token to LogoutURL. A
// renewal that is under way does not bring them back: what it gets is not used, and
// is what is ended.
//
// An error says that the store or the server could not be told; as far as this
// program is concerned, it is over all the same. SignOut goes on if ctx ends, which
// only ends the wait.
func (t *Transport) SignOut(ctx context.Context) error {
	t.mu.Lock()
	last := t.current
	t.current, t.failed, t.left = nil, failures{}, true
	t.signOuts++
	t.mu.Unlock()

	ended := make(chan error, 1)
	go func() { ended <- t.forget(last) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forget takes all tokens away, and ends their session. last, if not nil, were in use.
func (t *Transport) forget(last *grant) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*flightLimit) // the flight before it, and its own
	defer cancel()
	if err := t.takeTurn(ctx); err != nil {
		return err
	}
	defer t.endTurn()
	refresh := ""
	if last != nil {
		refresh = last.Refresh
	}
	err := t.store.Update(ctx, func(stored Tokens) (Tokens, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.left {
			return stored, nil // of a session that was begun since
		}
		if stored.Refresh != "" {
			refresh = stored.Refresh
		}
		if t.unsaved != nil {
			refresh = t.unsaved.Refresh // newer
			t.unsaved = nil
		}
		return Tokens{}, nil
	})
	return errors.Join(err, t.end(ctx, refresh))
}
