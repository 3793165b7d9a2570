// Package keys has the keys that verify and sign tokens.
//
// The fields Keys of jwtgate.Config and TrustedIssuer take a [Source]. There are
// five kinds:
//
//   - a [Key], made by the function with the name of its algorithm, such as [HS256]
//     or [ES256];
//   - a [Set] of several keys, of which the first that can sign signs;
//   - a [Ring] of keys that can change while requests are served;
//   - a [Remote], for the keys that an identity provider publishes as a JWK Set;
//   - [Sources], which are several of these for one issuer.
//
// A key verifies tokens of its own algorithm only, whatever a token's header says.
// Keys are told apart by kid and algorithm. A token with a kid is checked by the keys
// with that kid and the algorithm of the token, or, if there are none, by the keys of
// the algorithm that were given no kid. A token without kid is checked by all keys of
// the algorithm. No token is checked by more than four keys.
//
// The functions that make keys report no error: jwtgate.New reports a key that
// cannot be used, together with all other mistakes in the configuration.
package keys
