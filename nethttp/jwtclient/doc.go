// Package jwtclient is for Go programs that call an HTTP server with access
// tokens. It works with servers that use package jwtgate, and with other servers
// that accept Bearer tokens (RFC 6750) and refresh them (RFC 6749 §6).
//
// A [Transport] is an [http.RoundTripper]. It adds the access token to requests
// and renews the tokens, so the program uses an [http.Client] as it always does:
//
//	transport, err := jwtclient.New(jwtclient.Config{Origin: "https://api.example.com"})
//	if err != nil {
//		...
//	}
//	if err := transport.SignIn(ctx, username, password); err != nil {
//		...
//	}
//	client := &http.Client{Transport: transport}
//	res, err := client.Get("https://api.example.com/notes")
//	if errors.Is(err, jwtclient.ErrSignedOut) {
//		// The session has ended: ask the user to sign in again.
//	}
//
// A Transport keeps the tokens in memory, or in a [Store]. A [TokenFile] is a
// Store that keeps the session for the next start of the program, and shares it
// between processes.
package jwtclient
