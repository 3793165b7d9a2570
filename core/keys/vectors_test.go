package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// The examples in the RFCs are not access tokens, and most of their payloads are not
// claims. So these tests check the signature only.

// The keys of the examples.
const (
	// RFC 7515 A.1 and RFC 7797 §4.
	oct7515 = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	// RFC 7515 A.2.
	rsa7515 = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	// RFC 7515 A.3 and A.4.
	p256X7515 = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	p256Y7515 = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	p521X7515 = "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"
	p521Y7515 = "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"
	// RFC 7520 §3.1, §3.3 and §3.5.
	p521X7520 = "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt"
	p521Y7520 = "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"
	rsa7520   = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
	oct7520   = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"
	// RFC 8037 A.2.
	ed8037 = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	// RFC 7638 §3.1.
	rsa7638 = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)

// The parts of the examples.
const (
	joe   = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	frodo = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"

	hobbitHS256 = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
	hobbitMAC   = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"
)

func base64url(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func rsaPublic(t *testing.T, n string) *rsa.PublicKey {
	t.Helper()
	return &rsa.PublicKey{N: new(big.Int).SetBytes(base64url(t, n)), E: 65537}
}

func ecPublic(t *testing.T, curve elliptic.Curve, x, y string) *ecdsa.PublicKey {
	t.Helper()
	return &ecdsa.PublicKey{Curve: curve, X: new(big.Int).SetBytes(base64url(t, x)), Y: new(big.Int).SetBytes(base64url(t, y))}
}

func TestSignaturesOfRFCs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		key    Key
		header jose.Header
		token  string
	}{
		{
			"RFC 7515 A.1, HS256", HS256(base64url(t, oct7515)), jose.Header{Algorithm: "HS256", Type: "jwt"},
			"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + joe + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		},
		{
			"RFC 7515 A.2, RS256", RS256(rsaPublic(t, rsa7515)), jose.Header{Algorithm: "RS256"},
			"eyJhbGciOiJSUzI1NiJ9." + joe + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
		},
		{
			"RFC 7515 A.3, ES256", ES256(ecPublic(t, elliptic.P256(), p256X7515, p256Y7515)), jose.Header{Algorithm: "ES256"},
			"eyJhbGciOiJFUzI1NiJ9." + joe + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
		},
		{
			"RFC 7515 A.4, ES512", ES512(ecPublic(t, elliptic.P521(), p521X7515, p521Y7515)), jose.Header{Algorithm: "ES512"},
			"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
		},
		{
			"RFC 7520 §4.1, RS256", RS256(rsaPublic(t, rsa7520)), jose.Header{Algorithm: "RS256", KeyID: "bilbo.baggins@hobbiton.example"},
			"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." + frodo + ".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
		},
		{
			"RFC 7520 §4.2, PS384", PS384(rsaPublic(t, rsa7520)), jose.Header{Algorithm: "PS384", KeyID: "bilbo.baggins@hobbiton.example"},
			"eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." + frodo + ".cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
		},
		{
			"RFC 7520 §4.3, ES512", ES512(ecPublic(t, elliptic.P521(), p521X7520, p521Y7520)), jose.Header{Algorithm: "ES512", KeyID: "bilbo.baggins@hobbiton.example"},
			"eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." + frodo + ".AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
		},
		{
			"RFC 7520 §4.4, HS256", HS256(base64url(t, oct7520)), jose.Header{Algorithm: "HS256", KeyID: "018c0ae5-4d9b-471b-bfd6-eef314bc7037"},
			hobbitHS256 + "." + frodo + "." + hobbitMAC,
		},
		{
			"RFC 7797 §4.1, HS256", HS256(base64url(t, oct7515)), jose.Header{Algorithm: "HS256"},
			"eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ",
		},
		{
			"RFC 8037 A.4, EdDSA", EdDSA(ed25519.PublicKey(base64url(t, ed8037))), jose.Header{Algorithm: "EdDSA"},
			"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if problem := row.key.material.problem; problem != "" {
				t.Fatalf("the key is not usable: %s", problem)
			}
			token, err := jose.Parse(row.token)
			if err != nil || token.Header != row.header {
				t.Fatalf("got header %+v and error %v, want %+v", token.Header, err, row.header)
			}
			signature, err := token.Signature(nil)
			if err != nil {
				t.Fatal(err)
			}
			if !row.key.material.Verify(token.SigningInput, signature) {
				t.Error("the signature is refused")
			}
			if row.key.material.Verify(token.SigningInput+"A", signature) {
				t.Error("the signature is accepted for another payload")
			}
			for _, i := range []int{0, len(signature) / 2, len(signature) - 1} {
				signature[i] ^= 1
				if row.key.material.Verify(token.SigningInput, signature) {
					t.Errorf("the signature is accepted with byte %d of the signature changed", i)
				}
				signature[i] ^= 1
			}
		})
	}
}

// These examples are valid, but in a form that is not accepted here.
func TestFormsOfRFCs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, token string }{
		{"RFC 7520 §4.5, detached payload", hobbitHS256 + ".." + hobbitMAC},
		{"RFC 7520 §4.6, an unprotected header, JSON", `{"payload":"` + frodo + `","protected":"eyJhbGciOiJIUzI1NiJ9","header":{"kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"},"signature":"bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20"}`},
		{"RFC 7520 §4.7, no protected header, JSON", `{"payload":"` + frodo + `","header":{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"},"signature":"xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk"}`},
		{"RFC 7520 §4.8, many signatures, JSON", `{"payload":"` + frodo + `","signatures":[{"protected":"` + hobbitHS256 + `","signature":"` + hobbitMAC + `"}]}`},
		{"RFC 7515 A.5, unsecured", "eyJhbGciOiJub25lIn0." + joe + "."},
		{"RFC 7515 A.6, JSON", `{"payload":"` + joe + `","signatures":[]}`},
		{"RFC 7797 §4.2, b64 false, detached", "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"},
		{"RFC 7797 §4.2, b64 false, with its payload", "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$.02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"},
		{"RFC 7797 §4.2, b64 false, with its payload encoded", "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.JC4wMg.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"},
	} {
		if token, err := jose.Parse(row.token); err == nil {
			t.Errorf("%s: got %+v and no error", row.name, token.Header)
		}
	}
}

// Later versions have the same kid for a secret, so that processes of two versions can
// verify each other's tokens.
func TestSecretIDStays(t *testing.T) {
	t.Parallel()
	if got, want := HS256(secret).ID(), "lRoaFVAlhHcMgibJKDUMzg"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestThumbprintsOfRFCs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		key  Key
		want string
	}{
		{"RFC 7638 §3.1", RS256(rsaPublic(t, rsa7638)), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"RFC 8037 A.3", EdDSA(ed25519.PublicKey(base64url(t, ed8037))), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		if got := row.key.ID(); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}
