// Package jose parses and encodes tokens: JWSs in compact form (RFC 7515 §7.1).
//
// It is the only package of this project that reads the bytes of a token. It
// parses the header (RFC 7515 §4), the claims (RFC 7519 §4) and keys in the form
// of a JWK (RFC 7517 §4). It is strict: it refuses every text that two parsers
// could understand differently, which is base64url that is not canonical, a JSON
// object in which the names of two members are equal or differ only in case, a
// string that is not valid Unicode, and a number that is out of range.
//
// This package holds no keys and decides nothing about the meaning of a token.
// Package jwtgate does that. [Parse] reads only the header of a token. The caller
// must check the signature before it uses the payload that [Token.Payload] returns.
package jose
