package jwtgate_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// No verb of fmt and no handler of slog prints the secret of a Key, a Set, a Ring or
// anything that has one of them.
func TestKeyPrintsNoSecret(t *testing.T) {
	t.Parallel()
	type hidden struct {
		name string
		key  keys.Key
		keys keys.Source
		set  keys.Set
	}
	type open struct {
		Key  keys.Key
		Keys keys.Source
		Set  keys.Set
	}
	for _, key := range []keys.Key{keys.HS256(secret), keys.EdDSA(ed25519Key), keys.ES256(p256Key), keys.RS256(rsaKey()), {}, keys.HS256(secret[:8])} {
		set := keys.Set{key}
		ring := keys.NewRing(key, keys.HS256(signingSecret))
		_ = ring.Announce(key) // fails if it is active already
		auth, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: key})
		values := []any{key, &key, set, hidden{"k", key, key, set}, &hidden{"k", key, set, set}, open{key, set, set}, jwtgate.Config{Keys: key}, &jwtgate.Config{Keys: set}, auth, err, map[string]keys.Key{"k": key}, ring, hidden{"k", key, ring, set}, open{key, ring, set}, ring.Replace(key, key)}
		var b strings.Builder
		for _, verb := range []string{"%s", "%q", "%x", "%X"} {
			fmt.Fprintf(&b, verb+verb+verb+verb+"\n", key, &key, set, ring)
		}
		text := slog.New(slog.NewTextHandler(&b, nil))
		lines := slog.New(slog.NewJSONHandler(&b, nil))
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t", "%x"} {
				fmt.Fprintf(&b, verb+"\n", v)
			}
			text.Info("key", "value", v)
			lines.Info("key", "value", v)
			if encoded, err := json.Marshal(v); err == nil {
				b.Write(encoded)
			}
		}
		checkNoSecret(t, b.String())
	}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("rotated", "key", keys.HS256(secret).WithID("k"))
	if !strings.Contains(b.String(), `"key":"HS256 key k"`) {
		t.Errorf("got %s in the log, want the algorithm and the kid", b.String())
	}
	b.Reset()
	slog.New(slog.NewJSONHandler(&b, nil)).Info("rotated", "keys", keys.NewRing(keys.HS256(secret).WithID("k")))
	if !strings.Contains(b.String(), `"keys":"HS256 key k signs"`) {
		t.Errorf("got %s in the log, want the algorithm and the kid", b.String())
	}
	ring := keys.NewRing(keys.HS256(secret).WithID("k"))
	if got, want := fmt.Sprintf("%v; %s; %#v; %v", new(keys.Ring), ring, ring, (*keys.Ring)(nil)), "no keys; HS256 key k signs; HS256 key k signs; no keys"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := fmt.Sprintf("%v %s %#v", keys.Key{}, keys.HS256(secret).WithID("k"), keys.HS256(secret).WithID("k")), "no key HS256 key k HS256 key k"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkNoSecret fails if text contains a part of a secret of these tests, in one of
// the forms that printing gives to bytes and numbers.
func checkNoSecret(t *testing.T, text string) {
	t.Helper()
	seed := ed25519Key.Seed()
	for _, secret := range [][]byte{secret[:8], seed[:8], p256Key.D.Bytes()[:8], rsaKey().D.Bytes()[:8]} {
		for _, form := range []string{
			string(secret),
			hex.EncodeToString(secret),
			strings.ToUpper(hex.EncodeToString(secret)),
			base64.StdEncoding.EncodeToString(secret[:6]),
			strings.Trim(fmt.Sprintf("%d", secret), "[]"),
			strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", secret), "[]byte{"), "}"),
		} {
			if strings.Contains(text, form) {
				t.Errorf("got %q in %.300s", form, text)
			}
		}
	}
	for _, number := range []*big.Int{p256Key.D, rsaKey().D} {
		if strings.Contains(text, number.String()) {
			t.Errorf("got a private number in %.300s", text)
		}
	}
}
