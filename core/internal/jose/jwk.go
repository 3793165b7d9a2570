package jose

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

var (
	errSet     = errors.New("jose: text is not a JWK Set: an object with an array called keys")
	errPrivate = errors.New("jose: JWK has the private or secret part of the key")
	errOctets  = errors.New("jose: JWK has a number that is not canonical base64url")
)

// A JWK is a public key as others publish it (RFC 7517 §4, RFC 7518 §6.2 and §6.3,
// RFC 8037 §2). Absent members are empty. The caller checks whether the parts make a
// key.
type JWK struct {
	Type       string   // kty
	Curve      string   // crv
	Algorithm  string   // alg
	KeyID      string   // kid
	Use        string   // use
	Operations []string // key_ops, nil if absent

	N, E []byte // of RSA
	X, Y []byte // of EC, X of OKP
}

// SplitJWKSet returns the JSON of each key in the JWK Set text (RFC 7517 §5). It does
// not read the keys, because one unusual key must not make the others unusable.
func SplitJWKSet(text string) ([]string, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, errSet
	}
	var keys []json.RawMessage
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, errSet
		}
		var other json.RawMessage
		switch {
		case name == "keys" && keys != nil:
			return nil, errTwice
		case name == "keys":
			if err := decoder.Decode(&keys); err != nil || keys == nil {
				return nil, errSet
			}
		case decoder.Decode(&other) != nil:
			return nil, errSet
		}
	}
	if _, err := decoder.Token(); err != nil || keys == nil {
		return nil, errSet
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errSet
	}
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = string(key)
	}
	return texts, nil
}

// ParseJWK reads one key. It refuses a private key and a secret: a published key is
// no longer secret.
func ParseJWK(text string) (JWK, error) {
	var k JWK
	m := members{document: document(text)}
	if err := m.open(); err != nil {
		return JWK{}, err
	}
	for {
		name, v, err := m.next()
		if err != nil {
			return JWK{}, err
		}
		if v.kind == none {
			return k, m.end()
		}
		switch name {
		case "kty":
			k.Type, err = v.text()
		case "crv":
			k.Curve, err = v.text()
		case "alg":
			k.Algorithm, err = v.text()
		case "use":
			k.Use, err = v.text()
		case "kid":
			if k.KeyID, err = v.text(); err == nil && !ValidKeyID(k.KeyID) {
				err = errKeyID
			}
		case "key_ops":
			k.Operations, err = v.words()
		case "n":
			k.N, err = v.bytes()
		case "e":
			k.E, err = v.bytes()
		case "x":
			k.X, err = v.bytes()
		case "y":
			k.Y, err = v.bytes()
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			// RFC 7518 §6.2.2, §6.3.2 and §6.4; priv is that of newer types.
			err = errPrivate
		default:
			if m.names.respells(name, &jwkNames) {
				err = errFolded
			}
		}
		if err != nil {
			return JWK{}, err
		}
	}
}

var jwkNames = NewNames("kty", "crv", "alg", "use", "kid", "key_ops", "n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv")

// bytes returns the bytes that the base64url string v encodes, at least one. RFC 7515
// §2 wants no padding, but some issuers publish their keys with it.
func (v value) bytes() ([]byte, error) {
	s, err := v.text()
	if err != nil {
		return nil, err
	}
	if len(s)%4 == 0 {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	}
	data, err := decode(nil, s)
	if err != nil || len(data) == 0 {
		return nil, errOctets
	}
	return data, nil
}

// words returns the strings in the array v.
func (v value) words() ([]string, error) {
	if v.kind != array {
		return nil, errType
	}
	words := []string{}
	for element := range v.elements() {
		if element.kind != text {
			return nil, errType
		}
		words = append(words, element.string())
	}
	return words, nil
}
