package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// A Key signs or verifies tokens by one algorithm. The function with the name of the
// algorithm makes it, such as [HS256]. It returns no error: jwtgate.New reports a key
// that cannot be used.
//
// A Key made of a secret or a private key signs and verifies. A Key made of a
// public key or a certificate only verifies.
//
// A Key without [Key.WithID] verifies tokens whatever their kid is (RFC 7515
// §4.1.4), unless another key of the same source has that kid and the algorithm of
// the token. The kid of the tokens that it signs is the RFC 7638 thumbprint of the
// key. For a secret it is a keyed digest, because a thumbprint would reveal a hash
// of the secret (RFC 7638 §7). A Key with WithID verifies the tokens with its kid
// and those without kid.
//
// Printing and logging a Key shows its algorithm and kid, never the key.
// A Key is safe for concurrent use.
type Key struct{ material *material }

// RSAKey has the types that a [Key] of an RS or PS algorithm can be made of. Bytes are
// the content of a PEM file: PKCS#8 or PKCS#1 for a private key, PKIX or PKCS#1 for a
// public key, or an X.509 certificate.
//
// In all PEM files, indentation and line breaks that are written as \n are accepted,
// because configuration files and environment variables have them. A certificate
// stands for its public key: nothing else in it is checked, not even its expiry. If a
// file has several blocks, the first key is used, or the first certificate if the file
// has no key.
type RSAKey interface {
	*rsa.PrivateKey | *rsa.PublicKey | []byte
}

// ECDSAKey has the types that a [Key] of an ES algorithm can be made of. Bytes are the
// content of a PEM file: PKCS#8 or SEC 1 for a private key, PKIX for a public key, or
// an X.509 certificate. [RSAKey] has the details.
type ECDSAKey interface {
	*ecdsa.PrivateKey | *ecdsa.PublicKey | []byte
}

// EdDSAKey has the types that a [Key] of [EdDSA] can be made of. Bytes are the content
// of a PEM file: PKCS#8 for a private key, PKIX for a public key, or an X.509
// certificate. [RSAKey] has the details.
type EdDSAKey interface {
	ed25519.PrivateKey | ed25519.PublicKey | []byte
}

// WithID returns k with the kid id, of 1 to 256 printable ASCII characters. It then
// verifies only tokens with that kid or without kid.
func (k Key) WithID(id string) Key {
	if k.material == nil {
		return k
	}
	named := *k.material
	named.id, named.named = id, true
	return Key{&named}
}

// ID returns the kid of k. It is empty for the zero Key and for a key of
// [InsecureHS256] without [Key.WithID].
func (k Key) ID() string {
	if k.material == nil {
		return ""
	}
	return k.material.id
}

// String returns the algorithm and the kid.
func (k Key) String() string {
	if k.material == nil {
		return "no key"
	}
	text := k.material.alg.name + " key"
	if k.material.insecure {
		text = "insecure " + text
	}
	return strings.TrimSuffix(text+" "+k.material.id, " ")
}

// GoString returns what String does, so that %#v prints no secret either.
func (k Key) GoString() string { return k.String() }

// LogValue returns what String does.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Open makes k a [Source] of one key.
func (k Key) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
	return Set{k}.Open(options)
}

// canSign reports whether k, which is not the zero Key, has a secret or a private key.
func (k Key) canSign() bool { return k.material.signing != nil }

// material is the content of a Key.
type material struct {
	alg      *algorithm
	id       string
	named    bool // id was given, and is not only the default
	size     int  // of a signature, in bytes
	signing  hidden
	public   hidden // the public key, or the secret of HMAC
	inputs   *inputs
	insecure bool      // made by InsecureHS256
	problem  string    // why the key cannot be used, empty if it can
	until    time.Time // when the key stops to verify, zero for never
}

// A keyName tells keys apart: two keys of an issuer can have the same kid if their
// algorithms differ (RFC 7517 §4.5).
type keyName struct{ id, alg string }

// name returns the name of k, zero for the zero Key and for a key without kid.
func (k Key) name() keyName {
	if k.ID() == "" {
		return keyName{}
	}
	return keyName{k.material.id, k.material.alg.name}
}

// named reports whether n, which may be zero, is the name of k.
func (k Key) named(n keyName) bool { return n != keyName{} && k.name() == n }

// hidden returns a key. It is a function, because fmt prints only the address of a
// function, whatever the verb. It would print the value behind a pointer.
type hidden func() any

func hide(key any) hidden {
	if key == nil {
		return nil
	}
	return func() any { return key }
}

// newKey returns a Key of the algorithm called name. If key is bytes, they are a PEM
// file, or the secret of HMAC.
func newKey(name string, key any) Key {
	alg := algorithmNamed(name)
	if data, ok := key.([]byte); ok && alg.family != hmacFamily {
		var err error
		if key, err = parsePEM(data); err != nil {
			return alg.unusable("%v", err)
		}
	}
	return alg.family.build(alg, key)
}

// unusable returns a Key that jwtgate.New refuses with problem.
func (a *algorithm) unusable(problem string, args ...any) Key {
	return Key{&material{alg: a, problem: fmt.Sprintf(problem, args...)}}
}

// wrongType returns the unusable Key for a key that is not of the kind want.
func (a *algorithm) wrongType(want string, key any) Key {
	return a.unusable("the key is a %T: %s needs an %s key", key, a.name, want)
}

// usable returns a Key whose signatures have size bytes. If signing is nil, the
// Key only verifies.
func (a *algorithm) usable(signing, public any, size int) Key {
	return Key{&material{
		alg:     a,
		id:      thumbprint(public),
		size:    size,
		signing: hide(signing),
		public:  hide(public),
		inputs:  newInputs(a.hash),
	}}
}

// Algorithm and ID make a *material a [keyaccess.SigningKey].
func (m *material) Algorithm() string { return m.alg.name }
func (m *material) ID() string        { return m.id }

// Sign returns the signature of signingInput.
func (m *material) Sign(signingInput string) ([]byte, error) {
	return m.alg.method.Sign(signingInput, m.signing())
}

// Verify reports whether signature is a signature of signingInput. It never
// panics, because every key was checked when it was made.
func (m *material) Verify(signingInput string, signature []byte) bool {
	if len(signature) != m.size {
		return false // without hashing the input, which may be long
	}
	input := m.inputs.get()
	defer m.inputs.put(input)
	return m.alg.family.verify(m.alg, m.public(), input.digest(signingInput), signature)
}

// Expired reports whether m has stopped to verify.
func (m *material) Expired(at time.Time) bool { return !m.until.IsZero() && !at.Before(m.until) }

// same reports whether m and other are the same key for the same algorithm. A
// private key and its public key count as the same.
func (m *material) same(other *material) bool {
	return m.alg == other.alg && m.alg.family.equal(m.public(), other.public())
}
