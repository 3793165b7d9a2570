package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"math/big"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// ecdsaFamily is ECDSA (RFC 7518 §3.4).
var ecdsaFamily = &family{
	kty:   "EC",
	build: buildECDSA,
	verify: func(_ *algorithm, public any, digest, signature []byte) bool {
		asn1 := appendASN1(make([]byte, 0, 2+1+maxASN1Numbers), signature)
		return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), digest, asn1)
	},
	equal: func(a, b any) bool { return a.(*ecdsa.PublicKey).Equal(b.(*ecdsa.PublicKey)) },
	parse: parseECDSA,
}

func buildECDSA(alg *algorithm, key any) Key {
	var public *ecdsa.PublicKey
	var signing any
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k == nil || k.D == nil {
			return alg.unusable("the key is nil")
		}
		public, signing = &k.PublicKey, k
	case *ecdsa.PublicKey:
		public = k
	default:
		return alg.wrongType("ECDSA", key)
	}
	switch want := alg.curve.Params(); {
	case public == nil || public.Curve == nil || public.X == nil || public.Y == nil:
		return alg.unusable("the key is nil")
	case public.Curve.Params().BitSize != want.BitSize:
		return alg.unusable("the key is on %s: %s needs %s (RFC 7518 §3.4)", public.Curve.Params().Name, alg.name, want.Name)
	}
	if _, err := public.ECDH(); err != nil {
		return alg.unusable("the public key is not a point of its curve")
	}
	if private, ok := signing.(*ecdsa.PrivateKey); ok && !matches(private) {
		return alg.unusable("the private key does not belong to its public key")
	}
	return alg.usable(signing, public, 2*fieldSize(alg.curve))
}

// matches reports whether the private and the public half of key belong together.
func matches(key *ecdsa.PrivateKey) bool {
	private, err := key.ECDH()
	if err != nil {
		return false
	}
	public, err := key.PublicKey.ECDH()
	return err == nil && private.PublicKey().Equal(public)
}

// fieldSize returns the size of a coordinate in bytes (RFC 7518 §6.2.1.2).
func fieldSize(curve elliptic.Curve) int { return (curve.Params().BitSize + 7) / 8 }

var errPoint = errors.New("has a coordinate that is longer than its curve's")

// parseECDSA returns the key of k. RFC 7518 §6.2.1.2 wants coordinates of the full
// size. Some libraries omit zeros at the front, or add one as a sign.
func parseECDSA(alg *algorithm, k jose.JWK) (any, error) {
	x, y := new(big.Int).SetBytes(k.X), new(big.Int).SetBytes(k.Y)
	if bits := alg.curve.Params().BitSize; x.BitLen() > bits || y.BitLen() > bits {
		return nil, errPoint
	}
	return &ecdsa.PublicKey{Curve: alg.curve, X: x, Y: y}, nil
}

// maxASN1Numbers is the size of two INTEGERs of P-521: each has 66 bytes and
// perhaps a leading zero.
const maxASN1Numbers = 2 * (2 + 1 + 66)

// appendASN1 appends signature to dst in the form that crypto/ecdsa takes, which is a
// SEQUENCE of two numbers (RFC 3279 §2.2.3). In signature, they are side by side (RFC
// 7518 §3.4).
func appendASN1(dst, signature []byte) []byte {
	const sequence, lengthOfOneByte = 0x30, 0x81
	half := len(signature) / 2
	numbers := make([]byte, 0, maxASN1Numbers)
	numbers = appendInteger(appendInteger(numbers, signature[:half]), signature[half:])
	dst = append(dst, sequence)
	if len(numbers) >= 0x80 {
		dst = append(dst, lengthOfOneByte)
	}
	return append(append(dst, byte(len(numbers))), numbers...) //nolint:gosec // at most 138
}

// appendInteger appends number, which is not negative, to dst as an INTEGER.
func appendInteger(dst, number []byte) []byte {
	const integer = 0x02
	number = bytes.TrimLeft(number, "\x00")
	if len(number) > 0 && number[0] < 0x80 {
		return append(append(dst, integer, byte(len(number))), number...) //nolint:gosec // at most 66
	}
	// Zero is written as one zero byte. Other numbers get here if their high bit is
	// set, and need a leading zero, because the high bit is the sign.
	return append(append(dst, integer, byte(1+len(number)), 0), number...) //nolint:gosec // at most 67
}
