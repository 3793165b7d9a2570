package jwtclient

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// SignIn posts username and password to Config.TokenURL (RFC 6749 §4.3.2), and
// signs in with the tokens that it receives, as [Transport.SetTokens] does. It
// makes one attempt. If the server responds with an error code, the error wraps a
// [jwtgate.Refusal] with it, such as jwtgate.CodeInvalidCredentials for a wrong
// username or password.
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

// SetTokens signs in with tokens that the caller has obtained in another way, such
// as an OAuth callback. It stores them before any request is sent with them. If
// the store fails, or if tokens.Access cannot be sent in a header field, SetTokens
// returns an error and changes nothing.
//
// SetTokens does not end the session of the tokens that it replaces: call
// [Transport.SignOut] first to do that. If SignOut is called while SetTokens runs,
// the session of the new tokens is ended and SetTokens returns [ErrSignedOut].
func (t *Transport) SetTokens(ctx context.Context, tokens Tokens) error {
	if !visibleASCII(tokens.Access) {
		return errNotToken
	}
	t.mu.Lock()
	signOuts := t.signOuts
	t.mu.Unlock()
	return t.signIn(ctx, tokens, signOuts)
}

var errNotToken = errors.New("jwtclient: Tokens.Access is empty or has characters that a header field cannot have: set it to the access token as the server issued it")

// signIn stores tokens and uses them. If SignOut was called more than signOuts
// times, the session of tokens is ended instead.
func (t *Transport) signIn(ctx context.Context, tokens Tokens, signOuts int) error {
	if err := t.lockStore(ctx); err != nil {
		return err
	}
	defer t.unlockStore()
	if t.signedOutSince(signOuts) {
		return errors.Join(ErrSignedOut, t.endSession(ctx, tokens.Refresh))
	}
	if err := t.store.Update(ctx, func(Tokens) (Tokens, error) { return tokens, nil }); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unsaved = nil
	if t.signOuts != signOuts {
		return ErrSignedOut // SignOut, which waits for storeLock, ends the session of the stored tokens
	}
	t.active, t.failures, t.signedOut = newActiveTokens(tokens, time.Now()), failures{}, false
	return nil
}
