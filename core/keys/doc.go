// Package keys has the keys that verify and sign tokens.
//
// A [Source] is what jwtgate.Config.Keys and TrustedIssuer.Keys are set to. There
// are four:
//
//   - a [Key], made by the function named as its algorithm, such as [HS256] or
//     [ES256];
//   - a [Set] of several keys, of which the first that can sign signs;
//   - a [Ring] of keys that change while requests are served;
//   - [Remote], the keys that an identity provider publishes as a JWK Set.
//
// A key verifies tokens of its own algorithm only, whatever a token's header says.
// The functions that make keys report no error: jwtgate.New reports a key that
// cannot be used, together with all other mistakes in the configuration.
package keys
