// Package jwtgate is JWT authentication for web servers, independent of the web
// framework.
//
// An adapter (packages nethttp, echojwt, ginjwt and fiberjwt) converts its
// framework's request into a [Request], asks an [Auth] for a [Decision], and carries
// it out. All policy is in this package: which requests are refused, and with which
// status, header, cookie and body. Applications use this package to configure an Auth
// and to read claims:
//
//	auth, err := jwtgate.New(jwtgate.Config{
//		Issuer:   "https://auth.example.com",
//		Audience: "https://api.example.com",
//		Keys:     keys.HS256(secret),
//	})
//
//	mux.Handle("/api/", nethttp.Protect(auth)(api))
//
//	claims, err := jwtgate.Claims[MyClaims](ctx)
//
// The folder of this package is called core, so import it with its name:
//
//	import jwtgate "github.com/jwtgate/jwtgate/core"
//
// # How a request is judged
//
// A request is judged by one credential: the token in its header, or, if
// [Config.Cookies] is set and there is none, the access cookie. The token is in the
// Authorization header with the Bearer scheme (RFC 6750 §2.1), in a field of
// [Config.TokenHeaders], or, with [Config.WebSocketProtocol], in the handshake of a
// WebSocket. Two tokens in the header are refused, and so are two cookies of one name. A
// state-changing request that is judged by a cookie, or by a field that a proxy may
// have added, must come from this site. The token's size, syntax and header
// are checked, then its signature, and only then its claims: issuer, audience and
// lifetime. The last check is the rules that the route gives to Protect. A refusal has
// one of the [Code] constants. It is a problem document (RFC 9457) with the challenge
// of RFC 6750 §3. With [Config.Debug], it also tells a developer what is wrong.
//
// If [Config.Sessions] is set too, the request of a browser whose access token has
// expired is renewed by its refresh cookie before the handler runs: the request is
// served once, and its answer carries the new cookies.
//
// # Accepted tokens
//
// Signed JWTs in compact form are accepted, with exp and a subject, whose typ is at+jwt
// (RFC 9068), JWT or absent, and which were signed by a key that is configured for the
// algorithm that the token names. Nothing in a token selects a key of another
// algorithm, or an address to fetch keys from.
//
// The claims that decide are iss, sub, aud, exp, nbf and iat, or those that
// [Config.SubjectClaim] and [Config.AudienceClaim] name, and the roles and scopes. Each
// must have one spelling: a token with both roles and Roles is refused. A claim that
// is null counts as absent, and so does one of a wrong type, except for exp and nbf,
// which limit the token. So a claim that is not needed never refuses a token, and what
// needs it does: [RecentLogin] refuses a token whose auth_time is not a date.
//
// Other tokens of an issuer are refused by the claims that only they have: refresh and
// offline tokens, logout tokens and security event tokens always, and ID tokens unless
// [Config.AcceptIDTokens] is set. A nonce marks an ID token only if the token has no
// scope and nothing else that marks an access token.
//
// # Tokens of other issuers
//
// [Config.Trusted] lists other issuers, each with its keys, its audiences and the places
// of its claims. If their keys are [keys.Remote], they are fetched from the configured
// address when the first token of the issuer comes, and again in the background. As
// long as the signature of a token cannot be checked, its iss only decides which of the
// configured issuers is asked for keys. If the keys of an issuer cannot be fetched, its
// tokens are refused with 503, and all other tokens are not affected.
//
// # Limits
//
// Tokens are not accepted in query strings or forms. Encrypted tokens (JWE) and proof
// of possession are not supported: a token with a cnf claim is refused. Request rates
// are not limited.
package jwtgate
