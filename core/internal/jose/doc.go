// Package jose takes a compact JWS apart, strictly, and puts one together.
//
// It is the only package of the project that looks at the bytes of a token.
// It knows the shape of a token (RFC 7515 §7.1), its header (RFC 7515 §4) and
// its claims (RFC 7519 §4), and refuses every text that two readers could read
// in two ways: base64url that is not canonical, JSON with members that are
// equal or equal but for case, strings that are not Unicode, numbers beyond
// every type. It holds no key and knows no policy: those are package jwtgate's.
//
// The order is the caller's to keep: [Parse] reads the header only; what
// [Token.Payload] returns is not to be read until the signature is known to be
// good.
package jose
