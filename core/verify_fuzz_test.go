package jwtgate_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// FuzzAccept looks for a token that is accepted although a check that no configuration
// gives up does not hold. The payload and the header are any text, signed by a key of
// one of three issuers.
func FuzzAccept(f *testing.F) {
	for _, header := range []string{hs256, `{"alg":"ES256"}`, `{"alg":"HS256","kid":"x","typ":"JWT"}`, `{"alg":"none"}`} {
		for _, payload := range []string{
			claims(), claims("sub", "1"), claims("aud", `["web"]`), claims("SUB", `"bob"`), claims("exp", at(-1)), claims("exp", "1e300"),
			`{"iss":"https://b.example","client_id":"app","user":{"id":7,"ID":8},"exp":1800000900}`,
			`{"iss":"https://b.example","client_id":"app","user":{"id":7},"groups":{"admin":{"1":2}},"scope":"a","nonce":"n","exp":1.8000009e9}`,
			`{"iss":"https://c.example/1","exp":1800000900,"nbf":null,"events":null,"typ":"ID"}`,
		} {
			f.Add(header, payload, 0)
			f.Add(header, payload, 1)
			f.Add(header, payload, 2)
		}
	}
	groupSecret := []byte(strings.Repeat("the group's secret ", 3))
	signers := []struct {
		alg string
		key any
	}{{"HS256", secret}, {"ES256", p256Key}, {"HS256", groupSecret}}
	auth := newVerifier(f, keys.HS256(secret).WithID("ours"), func(c *jwtgate.Config) {
		c.OtherAudiences = []string{"web"}
		c.Trusted = []jwtgate.TrustedIssuer{
			{Name: "https://b.example", Keys: keys.ES256(p256Key), AudienceClaim: "client_id", Audience: "app", SubjectClaim: "/user/id", RoleClaims: []string{"groups"}},
			{Match: func(iss string) bool { return strings.HasPrefix(iss, "https://c.example/") }, Keys: keys.HS256(groupSecret).WithID("group"), InsecureAnyAudience: true, OptionalSubject: true, MaxLifetime: 48 * time.Hour},
		}
	})
	f.Fuzz(func(t *testing.T, header, payload string, signer int) {
		by := signers[uint(signer)%uint(len(signers))]
		d := auth.Decide(t.Context(), withBearer(jwtgatetest.Sign(t, by.alg, by.key, header, payload)))
		if d.Identity == nil {
			return
		}
		h, c := object(t, header), object(t, payload)
		if h["alg"] != by.alg {
			t.Errorf("got a token with alg %v accepted by a key for %s", h["alg"], by.alg)
		}
		if typ, _ := h["typ"].(string); !slices.Contains([]string{"", "jwt", "at+jwt", "application/jwt", "application/at+jwt"}, strings.ToLower(typ)) {
			t.Errorf("got a token with typ %q accepted", typ)
		}
		expires, ok := c["exp"].(float64)
		lifetime := 24 * time.Hour
		issuer, _ := c["iss"].(string)
		id := d.Identity
		switch uint(signer) % uint(len(signers)) {
		case 0:
			if issuer != "https://auth.example.com" || !names(c["aud"], audience) && !names(c["aud"], "web") || id.Subject() == "" {
				t.Errorf("got a token of %s for %v accepted as ours", issuer, c["aud"])
			}
		case 1:
			user, _ := c["user"].(map[string]any)
			if issuer != "https://b.example" || !names(c["client_id"], "app") || id.Subject() == "" || user["id"] == nil {
				t.Errorf("got a token of %s for %v accepted as b's", issuer, c["client_id"])
			}
			oneSpelling(t, user, "id")
		case 2:
			lifetime = 48 * time.Hour
			if !strings.HasPrefix(issuer, "https://c.example/") {
				t.Errorf("got a token of %s accepted as the group's", issuer)
			}
		}
		if !ok || math.Floor(expires) <= start || expires-start > lifetime.Seconds()+60 {
			t.Errorf("got a token with exp %v accepted", c["exp"])
		}
		if c["events"] != nil || c["cnf"] != nil || c["typ"] == "Refresh" || c["typ"] == "Offline" || c["typ"] == "Logout" {
			t.Errorf("got a token for another use accepted: %s", payload)
		}
		if issuer := id.Issuer(); issuer != c["iss"] {
			t.Errorf("got issuer %q; want %v", issuer, c["iss"])
		}
		for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "client_id", "user", "groups", "roles"} {
			oneSpelling(t, c, name)
		}
	})
}

// object returns the members of a JSON object.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil || members == nil {
		t.Fatalf("encoding/json does not read %q, which was accepted: %v", text, err)
	}
	return members
}

// names reports whether aud is, or includes, audience.
func names(aud any, audience string) bool {
	list, _ := aud.([]any)
	return aud == audience || slices.Contains(list, any(audience))
}

// oneSpelling fails if an object has several members called name, but for case.
func oneSpelling(t *testing.T, members map[string]any, name string) {
	t.Helper()
	spellings := 0
	for other := range members {
		if strings.EqualFold(other, name) {
			spellings++
		}
	}
	if spellings > 1 {
		t.Errorf("got %d spellings of %s accepted", spellings, name)
	}
}
