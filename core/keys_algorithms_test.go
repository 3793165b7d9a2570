package jwtgate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Each of the 13 algorithms issues tokens that it verifies, also if the verifier has
// only the public key.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	private := rsaKey()
	public := &private.PublicKey
	for _, row := range []struct {
		alg             string
		signer, checker keys.Key
	}{
		{"HS256", keys.HS256(secret), keys.HS256(secret)},
		{"HS384", keys.HS384(secret), keys.HS384(secret)},
		{"HS512", keys.HS512(secret), keys.HS512(secret)},
		{"RS256", keys.RS256(private), keys.RS256(public)},
		{"RS384", keys.RS384(private), keys.RS384(public)},
		{"RS512", keys.RS512(private), keys.RS512(public)},
		{"PS256", keys.PS256(private), keys.PS256(public)},
		{"PS384", keys.PS384(private), keys.PS384(public)},
		{"PS512", keys.PS512(private), keys.PS512(public)},
		{"ES256", keys.ES256(p256Key), keys.ES256(&p256Key.PublicKey)},
		{"ES384", keys.ES384(p384Key), keys.ES384(&p384Key.PublicKey)},
		{"ES512", keys.ES512(p521Key), keys.ES512(&p521Key.PublicKey)},
		{"EdDSA", keys.EdDSA(ed25519Key), keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey))},
	} {
		t.Run(row.alg, func(t *testing.T) {
			t.Parallel()
			token := jwtgatetest.Token(t, newVerifier(t, row.signer), "alice")
			checker := newVerifier(t, row.checker)
			decide(t, checker, withBearer(token), accepted)
			signature := strings.LastIndexByte(token, '.') + 1
			forged := token[:signature] + token[signature+4:] + token[signature:signature+4]
			decide(t, checker, withBearer(forged), jwtgate.CodeTokenInvalid)
			if row.signer.ID() != row.checker.ID() {
				t.Errorf("got kid %q for one half and %q for the other, want the same", row.signer.ID(), row.checker.ID())
			}
			if want := row.alg + " key " + row.signer.ID(); row.signer.String() != want {
				t.Errorf("got %q, want %q", row.signer, want)
			}
			var header struct{ Alg, Kid, Typ string }
			segment, _, _ := strings.Cut(token, ".")
			if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(segment)), &header); err != nil {
				t.Fatal(err)
			}
			if header.Alg != row.alg || header.Kid != row.signer.ID() || header.Typ != "at+jwt" {
				t.Errorf("got header %+v, want %s, %s and at+jwt", header, row.alg, row.signer.ID())
			}
			_, err := checker.Issue(t.Context(), jwtgate.Grant{Subject: "alice"})
			if isHMAC := strings.HasPrefix(row.alg, "HS"); (err == nil) != isHMAC {
				t.Errorf("got error %v when the verifier issues, want one unless it has the secret", err)
			}
		})
	}
}

// Later changes of the bytes that a Key was made of do not change the Key.
func TestKeyCopiesItsBytes(t *testing.T) {
	t.Parallel()
	shortLived := bytes.Clone(secret)
	seed := bytes.Clone(ed25519Key)
	public := bytes.Clone(ed25519Key[32:])
	hmac, signer, checker := keys.HS256(shortLived), keys.EdDSA(ed25519.PrivateKey(seed)), keys.EdDSA(ed25519.PublicKey(public))
	clear(shortLived)
	clear(seed)
	clear(public)
	decide(t, newVerifier(t, keys.HS256(secret)), withBearer(jwtgatetest.Token(t, newVerifier(t, hmac), "alice")), accepted)
	token := jwtgatetest.Token(t, newVerifier(t, signer), "alice")
	decide(t, newVerifier(t, keys.EdDSA(ed25519Key)), withBearer(token), accepted)
	decide(t, newVerifier(t, checker), withBearer(token), accepted)
}

func TestKeyIDs(t *testing.T) {
	t.Parallel()
	k := keys.HS256(secret)
	if named := k.WithID("mine"); named.ID() != "mine" || k.ID() == "mine" {
		t.Errorf("got kid %q, and %q for the key it was made of, want mine for the first only", named.ID(), k.ID())
	}
	if got := (keys.Key{}).ID(); got != "" {
		t.Errorf("got kid %q for the zero Key, want none", got)
	}
	// The kid of a secret depends on all of the secret (RFC 7638 §7).
	if keys.HS256(secret).ID() == keys.HS256(secret[:63]).ID() {
		t.Error("got the same kid for two secrets")
	}
	if keys.ES256(p256Key).ID() == keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))).ID() {
		t.Error("got the same kid for two keys")
	}
}
