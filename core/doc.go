// Package jwtgate is JWT authentication without a web framework: it judges plain
// requests and answers with plain values.
//
// An adapter (packages nethttp, echojwt, ginjwt and fiberjwt) turns its
// framework's request into a [Request], asks an [Auth] for a [Decision], and
// does what the Decision says. All policy is here: what is refused, with which
// status, header, cookie and body. An application wires its adapter and meets
// this package where it is configured and where claims are read:
//
//	auth, err := jwtgate.New(jwtgate.Config{
//		Issuer:   "https://auth.example.com",
//		Audience: "https://api.example.com",
//		Keys:     jwtgate.HS256(secret),
//	})
//
//	mux.Handle("/api/", nethttp.Protect(auth)(api))
//
//	claims, err := jwtgate.Claims[MyClaims](ctx)
//
// # How a request is judged
//
// One credential is looked for: the Authorization header with the Bearer scheme
// (RFC 6750 §2.1), else, where [Config.Cookies] is set, the access cookie.
// Anything double is refused. A state-changing request that is to be judged by
// a cookie must come from this site. The token's size, shape and header are
// checked, then its signature, and only then is its payload read: type, issuer,
// audience, lifetime. Last come the rules that the route gave to Protect.
// A refusal is one of the [Code] constants, as application/problem+json
// (RFC 9457) with the challenge that RFC 6750 §3 asks for.
//
// Where [Config.Sessions] is set too, a browser whose access token is merely old
// is given a new one on the way in, by its refresh cookie: the request is served
// once, and its answer carries the new cookies.
//
// # What it accepts
//
// Signed compact JWTs with exp and sub, whose typ is at+jwt (RFC 9068), JWT or
// absent, by a key that was configured for exactly the algorithm that the token
// names. Nothing in a token chooses a key, an algorithm or an address.
//
// # Tokens of others
//
// [Config.Trusted] names further issuers, each with its own keys, audience and
// path to the roles. Where [RemoteKeys] are their keys, these are fetched: from
// the address that was configured, when the first token of the issuer comes, and
// again in the background. The iss of a token whose signature cannot be checked
// yet decides which of the configured issuers is asked, and nothing else. Tokens
// of an issuer whose keys cannot be had are refused with 503; no other is touched.
//
// # What it does not do
//
// No tokens in query strings or forms, no encrypted tokens (JWE), no proof of
// possession: a token with a cnf claim is refused rather than taken as a bearer
// token. It does not limit request rates.
package jwtgate
