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
// A request is judged by one credential: the Authorization header with the Bearer
// scheme (RFC 6750 §2.1), or, if [Config.Cookies] is set and there is no such header,
// the access cookie. Two credentials of the same kind are refused. A state-changing
// request that is judged by a cookie must come from this site. The token's size, syntax
// and header are checked first, then its signature, and only then its claims: issuer,
// audience and lifetime. Last, the rules of the route are checked, which are the
// arguments of Protect. The answer to a refused request is a problem document
// (RFC 9457) with one of the [Code] constants and the challenge of RFC 6750 §3.
//
// If [Config.Sessions] is set too, the request of a browser whose access token has
// expired is renewed by its refresh cookie before the handler runs: the request is
// served once, and its answer carries the new cookies.
//
// # Accepted tokens
//
// A token must be a signed JWT in compact form, and have the claims exp and sub. Its
// typ must be at+jwt (RFC 9068), JWT or absent. It must be signed by a key that is
// configured for the algorithm in its header. A token cannot select a key of another
// algorithm, or an address to fetch keys from.
//
// # Tokens of other issuers
//
// [Config.Trusted] lists other issuers, each with its keys, its audience and the place
// of its roles. If its keys are [keys.Remote], they are fetched from the configured
// address when the first token of the issuer arrives, and again in the background. If
// no key is known for a token, its iss is read before the signature is checked, and
// decides only which of the configured issuers is asked for keys. If the keys of an
// issuer cannot be fetched, its tokens are refused with 503. Other tokens are not
// affected.
//
// # Limits
//
// Tokens are not accepted in query strings or forms. Encrypted tokens (JWE) and proof
// of possession are not supported: a token with a cnf claim is refused. Request rates
// are not limited.
package jwtgate
