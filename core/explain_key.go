package jwtgate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/internal/wanted"
)

// unverified adds to text, the explanation of err, why no key verified the token, if
// text is about something else.
func (f *facts) unverified(err error, text string) string {
	var both *unverifiedError
	if !errors.As(err, &both) {
		return text
	}
	if other := algorithmError(""); errors.As(both.reason, &other) {
		return f.algorithmText() // a key of another algorithm is missing under every kid
	}
	if f.syntax != nil && errors.Is(both.reason, f.syntax) {
		text = f.syntaxText()
	}
	return text + " (not verified: " + strings.TrimPrefix(both.cause.Error(), "jwtgate: ") + ")"
}

// elsewhere returns what is wrong with iss, if it is that of no configured issuer, and
// text, which is about keys: a token of another issuer has another key.
func (f *facts) elsewhere(text string) string {
	if f.issuer == nil && f.members != nil {
		return f.issuerText() + " (not verified: " + text + ")"
	}
	return text
}

// keyIDText explains a token with a kid that no key has.
func (f *facts) keyIDText() string {
	text := fmt.Sprintf("there is no key with the token's kid %s; %s", shown(f.header.KeyID), f.heldKeys())
	if slices.ContainsFunc(f.keys(), func(k keyaccess.KeyName) bool { return k.Any && signs(k.Algorithm, f.header.Algorithm) }) {
		return f.elsewhere(text + ": the key without WithID takes every kid, but did not make the signature. " + f.otherKey())
	}
	if f.remote() {
		return f.elsewhere(text + ", fetched from the issuer, which must publish the key")
	}
	return f.elsewhere(text + ": add the key with this kid, or use keys.Remote, which follows the issuer's keys")
}

// signatureText explains a signature that no key made.
func (f *facts) signatureText() string {
	which := "of the keys"
	if f.header.KeyID != "" {
		which = "of the keys for kid " + shown(f.header.KeyID)
	}
	return f.elsewhere(fmt.Sprintf("the signature does not match: none %s and alg %s made it; %s. %s", which, shown(f.header.Algorithm), f.heldKeys(), f.otherKey()))
}

// otherKey returns the remedy for a signature by a key that is not held.
func (f *facts) otherKey() string {
	if strings.HasPrefix(f.header.Algorithm, "HS") {
		return "The token was changed, or signed with another secret: use the same bytes, nothing is decoded from base64 or hex"
	}
	return "The token was changed, or signed with another private key"
}

// algorithmText explains a token whose alg is that of no key.
func (f *facts) algorithmText() string {
	text := fmt.Sprintf("alg is %s, but %s; %s", shown(f.header.Algorithm), wanted.Algorithm, f.heldKeys())
	held := f.keys()
	secrets := slices.ContainsFunc(held, func(k keyaccess.KeyName) bool { return strings.HasPrefix(k.Algorithm, "HS") })
	switch secret := strings.HasPrefix(f.header.Algorithm, "HS"); {
	case f.header.Algorithm == "none":
		text += ": a token without a signature is never accepted"
	case secrets && !secret:
		text += ": verify these tokens with the public key of the issuer, or with keys.Remote"
	case secret && len(held) > 0 && !secrets:
		text += ": a public key never verifies a token that is signed with a secret"
	}
	return f.elsewhere(text)
}

// keys returns the names of the keys of the token's issuer, or of all issuers if it has
// none.
func (f *facts) keys() []keyaccess.KeyName {
	var names []keyaccess.KeyName
	for i := range f.auth.issuers {
		if issuer := &f.auth.issuers[i]; f.issuer == nil || issuer == f.issuer {
			names = append(names, issuer.keys.Current().Names(f.auth.keysAt(f.now))...)
		}
	}
	return names
}

// heldKeys says which keys are held.
func (f *facts) heldKeys() string {
	var list []string
	held := f.keys()
	for _, name := range held[:min(len(held), maxListed)] {
		text := name.Algorithm
		if name.ID != "" {
			text += " " + shown(name.ID)
		}
		list = append(list, text)
	}
	if len(held) > maxListed {
		list = append(list, fmt.Sprintf("%d more", len(held)-maxListed))
	}
	place := ""
	if f.issuer != nil || len(f.auth.issuers) == 1 {
		place = " in " + f.option("Keys")
	}
	switch len(list) {
	case 0:
		return "there are no keys" + place
	case 1:
		return "the only key" + place + " is " + list[0]
	}
	return "the keys" + place + " are " + strings.Join(list, ", ")
}

// remote reports whether keys of the token's issuer are fetched.
func (f *facts) remote() bool { return f.issuer != nil && f.issuer.remote != nil }

// signs reports whether a key of the algorithm named key makes tokens with this alg.
func signs(key, alg string) bool { return key == alg || key == "EdDSA" && alg == "Ed25519" }
