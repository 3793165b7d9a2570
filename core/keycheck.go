package jwtgate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

const (
	minRSABits = 2048 // RFC 7518 §3.3
	maxRSABits = 8192 // a larger modulus only costs the verifier
)

// unusable returns a Key that New will refuse with problem.
func unusable(m jwt.SigningMethod, problem string, args ...any) Key {
	return Key{&material{method: method{SigningMethod: m, alg: m.Alg()}, problem: fmt.Sprintf(problem, args...)}}
}

func hmacKey(m *jwt.SigningMethodHMAC, secret []byte) Key {
	if least := m.Hash.Size(); len(secret) < least {
		return unusable(m, "the secret has %d bytes: %s needs at least %d (RFC 7518 §3.2)", len(secret), m.Alg(), least)
	}
	if bytes.Contains(secret, []byte("-----BEGIN ")) {
		return unusable(m, "the secret is a PEM file: anyone who has the public key could sign with it")
	}
	if len(bytes.Trim(secret, "\x00")) == 0 {
		return unusable(m, "the secret is zeros: fill it with random bytes")
	}
	secret = bytes.Clone(secret)
	digest := hmac.New(sha256.New, secret)
	digest.Write([]byte("jwtgate kid"))
	id := base64.RawURLEncoding.EncodeToString(digest.Sum(nil)[:16])
	k := newKey(newHMAC(m, secret), secret, secret, m.Hash.Size())
	k.material.id = id
	return k
}

func rsaKey(m jwt.SigningMethod, key any) Key {
	key, err := fromPEM(key)
	if err != nil {
		return unusable(m, "%v", err)
	}
	var public *rsa.PublicKey
	var signing any
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k == nil {
			return unusable(m, "the key is nil")
		}
		if err := k.Validate(); err != nil {
			return unusable(m, "the private key is not valid: %v", err)
		}
		public, signing = &k.PublicKey, k
	case *rsa.PublicKey:
		public = k
	default:
		return wrongType(m, "RSA", key)
	}
	switch {
	case public == nil || public.N == nil:
		return unusable(m, "the key is nil")
	case public.N.BitLen() < minRSABits || public.N.BitLen() > maxRSABits:
		return unusable(m, "the RSA key has %d bits: use %d to %d", public.N.BitLen(), minRSABits, maxRSABits)
	case public.E < 3 || public.E%2 == 0 || int64(public.E) > 1<<31-1 || public.N.Bit(0) == 0 || public.N.Sign() < 0:
		return unusable(m, "the RSA key has an exponent or modulus that no RSA key has")
	}
	return newKey(m, signing, public, public.Size())
}

func ecdsaKey(m *jwt.SigningMethodECDSA, key any) Key {
	key, err := fromPEM(key)
	if err != nil {
		return unusable(m, "%v", err)
	}
	var public *ecdsa.PublicKey
	var signing any
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k == nil || k.D == nil {
			return unusable(m, "the key is nil")
		}
		public, signing = &k.PublicKey, k
	case *ecdsa.PublicKey:
		public = k
	default:
		return wrongType(m, "ECDSA", key)
	}
	switch {
	case public == nil || public.Curve == nil || public.X == nil || public.Y == nil:
		return unusable(m, "the key is nil")
	case public.Curve.Params().BitSize != m.CurveBits:
		return unusable(m, "the key is on %s: %s needs P-%d (RFC 7518 §3.4)", public.Curve.Params().Name, m.Alg(), m.CurveBits)
	}
	if _, err := public.ECDH(); err != nil {
		return unusable(m, "the public key is not a point of its curve")
	}
	if private, ok := signing.(*ecdsa.PrivateKey); ok && !matches(private) {
		return unusable(m, "the private key is not one of its public key")
	}
	return newKey(newECDSA(m), signing, public, 2*m.KeySize)
}

// matches reports whether the two halves of key belong together.
func matches(key *ecdsa.PrivateKey) bool {
	private, err := key.ECDH()
	if err != nil {
		return false
	}
	public, err := key.PublicKey.ECDH()
	return err == nil && private.PublicKey().Equal(public)
}

func ed25519Key(key any) Key {
	m := jwt.SigningMethodEdDSA
	key, err := fromPEM(key)
	if err != nil {
		return unusable(m, "%v", err)
	}
	var public ed25519.PublicKey
	var signing any
	switch k := key.(type) {
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return unusable(m, "the private key has %d bytes: Ed25519 has %d", len(k), ed25519.PrivateKeySize)
		}
		if !bytes.Equal(ed25519.NewKeyFromSeed(k.Seed()), k) {
			return unusable(m, "the private key is not one of its public key")
		}
		k = bytes.Clone(k)
		public, signing = ed25519.PublicKey(k[ed25519.SeedSize:]), k
	case ed25519.PublicKey:
		public = bytes.Clone(k)
	default:
		return wrongType(m, "Ed25519", key)
	}
	switch {
	case len(public) != ed25519.PublicKeySize:
		return unusable(m, "the public key has %d bytes: Ed25519 has %d", len(public), ed25519.PublicKeySize)
	case lowOrder(public):
		return unusable(m, "the public key is a point of low order: every signature would pass")
	}
	k := newKey(m, signing, public, ed25519.SignatureSize)
	k.material.method.also = "Ed25519" // RFC 9864 §2.2
	return k
}

// newKey returns a Key whose signatures have size bytes.
func newKey(m jwt.SigningMethod, signing, public any, size int) Key {
	return Key{&material{
		id:      thumbprint(public),
		method:  method{SigningMethod: m, alg: m.Alg()},
		size:    size,
		signing: box(signing),
		public:  box(public),
	}}
}

func wrongType(m jwt.SigningMethod, want string, key any) Key {
	return unusable(m, "the key is a %T: %s needs an %s key", key, m.Alg(), want)
}

var errEncrypted = errors.New("the PEM file is encrypted: decrypt it first")

// fromPEM returns the key in a PEM file if key is one, else key itself.
func fromPEM(key any) (any, error) {
	data, ok := key.([]byte)
	if !ok {
		return key, nil
	}
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("the key is not a PEM file with a key in it")
		}
		data = rest
		if block.Headers["DEK-Info"] != "" { // RFC 1421 §4.6.1.3
			return nil, errEncrypted
		}
		switch block.Type {
		case "PRIVATE KEY":
			return parsed(x509.ParsePKCS8PrivateKey(block.Bytes))
		case "RSA PRIVATE KEY":
			return parsed(x509.ParsePKCS1PrivateKey(block.Bytes))
		case "EC PRIVATE KEY":
			return parsed(x509.ParseECPrivateKey(block.Bytes))
		case "PUBLIC KEY":
			return parsed(x509.ParsePKIXPublicKey(block.Bytes))
		case "RSA PUBLIC KEY":
			return parsed(x509.ParsePKCS1PublicKey(block.Bytes))
		case "ENCRYPTED PRIVATE KEY":
			return nil, errEncrypted
		}
		// Others, such as the EC PARAMETERS that OpenSSL writes first, are passed over.
	}
}

// parsed hides the cause, which may quote bytes of a private key.
func parsed[K any](key K, err error) (any, error) {
	if err != nil {
		return nil, fmt.Errorf("the key in the PEM file cannot be read, or is of a kind that is not supported")
	}
	return key, nil
}

// lowOrder reports whether key is one of the points of order 1, 2, 4 or 8, in
// any of their encodings. With such a key a signature can be made for every
// message without a private key, and crypto/ed25519 would accept it.
func lowOrder(key ed25519.PublicKey) bool {
	y := bytes.Clone(key)
	y[31] &= 0x7f // the sign of x
	for _, low := range lowOrderPoints {
		if hex.EncodeToString(y) == low {
			return true
		}
	}
	return false
}

var lowOrderPoints = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}
