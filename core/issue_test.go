package jwtgate_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// segment returns the JSON object in segment i of token.
func segment(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func TestIssue(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 999_999_999))
	key := keys.HS256(secret)
	auth := newVerifier(t, key, func(c *jwtgate.Config) { c.Now, c.AccessTTL = clock.Now, 5*time.Minute })
	token, err := auth.Issue(t.Context(), jwtgate.Grant{
		Subject: "alice",
		Roles:   []string{"admin", "user"},
		Scopes:  []string{"read", "write"},
		Claims:  map[string]any{"team": "<red>", "n": json.Number("12345678901234567890")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Unix(start+300, 0); !token.Expires.Equal(want) || token.TTL != 5*time.Minute {
		t.Errorf("got expiry %v and TTL %v, want %v and 5m", token.Expires, token.TTL, want)
	}
	if got, want := segment(t, token.Token, 0), (map[string]any{"alg": "HS256", "typ": "at+jwt", "kid": key.ID()}); !maps.Equal(got, want) {
		t.Errorf("got header %v, want %v", got, want)
	}
	got := segment(t, token.Token, 1)
	for name, want := range map[string]any{
		"iss": issuer, "aud": audience, "sub": "alice", "scope": "read write", "team": "<red>",
		"exp": float64(start + 300), "iat": float64(start), "nbf": float64(start),
	} {
		if got[name] != want {
			t.Errorf("got %s %v, want %v", name, got[name], want)
		}
	}
	if roles, _ := got["roles"].([]any); !slices.Equal(roles, []any{"admin", "user"}) {
		t.Errorf("got roles %v, want admin and user", got["roles"])
	}
	if jti, _ := got["jti"].(string); len(jti) < 20 {
		t.Errorf("got jti %q, want one that cannot be guessed", jti)
	}
	if len(got) != 11 {
		t.Errorf("got claims %v, want no others", got)
	}
	d := decide(t, auth, withBearer(token.Token), accepted)
	if c, err := jwtgate.Claims[struct{ N json.Number }](d.Context); c.N != "12345678901234567890" || err != nil {
		t.Errorf("got n %v and error %v, want every digit", c.N, err)
	}
	if second := jwtgatetest.Token(t, auth, "alice"); segment(t, second, 1)["jti"] == got["jti"] {
		t.Error("got the same jti for two tokens")
	}
	if bare := segment(t, jwtgatetest.Token(t, auth, "alice"), 1); bare["roles"] != nil || bare["scope"] != nil {
		t.Errorf("got claims %v, want neither roles nor scope where there are none", bare)
	}
}

// The first key of a set that can sign is the one that signs.
func TestIssueBySet(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.Set{keys.ES384(&p384Key.PublicKey), keys.ES256(p256Key), keys.HS256(secret)})
	token := jwtgatetest.Token(t, auth, "alice")
	if got := segment(t, token, 0)["alg"]; got != "ES256" {
		t.Errorf("got alg %v, want ES256", got)
	}
	decide(t, auth, withBearer(token), accepted)
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	verifyOnly := newVerifier(t, keys.ES256(&p256Key.PublicKey))
	broken := newVerifier(t, brokenSigner{keys.HS256(secret)})
	anyIssuer := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Issuer, c.InsecureAnyIssuer = "", true })
	anyAudience := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Audience, c.InsecureAnyAudience = "", true })
	var none *jwtgate.Auth
	for _, row := range []struct {
		name  string
		auth  *jwtgate.Auth
		grant jwtgate.Grant
		want  string // in the error
	}{
		{"no subject", auth, jwtgate.Grant{}, "Grant.Subject is empty"},
		{"no key that signs", verifyOnly, jwtgate.Grant{Subject: "alice"}, "none of Config.Keys can sign"},
		{"a key that fails", broken, jwtgate.Grant{Subject: "alice"}, "sign: broken by the test"},
		{"no issuer", anyIssuer, jwtgate.Grant{Subject: "alice"}, "needs Config.Issuer and Config.Audience"},
		{"no audience", anyAudience, jwtgate.Grant{Subject: "alice"}, "needs Config.Issuer and Config.Audience"},
		{"no Auth", none, jwtgate.Grant{Subject: "alice"}, "the *Auth is nil"},
		{"a scope that is empty", auth, jwtgate.Grant{Subject: "alice", Scopes: []string{"read", ""}}, "Grant.Scopes has a scope that is empty"},
		{"a scope that is two", auth, jwtgate.Grant{Subject: "alice", Scopes: []string{"read write"}}, "or contains a space"},
		{"claims that are no object", auth, jwtgate.Grant{Subject: "alice", Claims: []string{"a"}}, "does not encode to a JSON object"},
		{"claims that are null", auth, jwtgate.Grant{Subject: "alice", Claims: (*teamClaims)(nil)}, "does not encode to a JSON object"},
		{"claims that do not encode", auth, jwtgate.Grant{Subject: "alice", Claims: map[string]any{"a": func() {}}}, "does not encode to a JSON object: json: unsupported type: func()"},
		{"a registered claim", auth, jwtgate.Grant{Subject: "alice", Claims: map[string]any{"exp": 1}}, `registered claim "exp"`},
		{"a registered claim in another case", auth, jwtgate.Grant{Subject: "alice", Claims: map[string]any{"Sub": "bob"}}, `registered claim "Sub"`},
		{"roles in two ways", auth, jwtgate.Grant{Subject: "alice", Roles: []string{"user"}, Claims: map[string]any{"roles": []string{"admin"}}}, `the claim "roles", which Config.RoleClaims sets`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			token, err := row.auth.Issue(t.Context(), row.grant)
			if err == nil || !strings.Contains(err.Error(), row.want) || token != (jwtgate.AccessToken{}) {
				t.Errorf("got %v and error %v; want the error %s", token, err, row.want)
			}
		})
	}
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "auth_time", "gen", "scope", "scp", "typ", "events",
		"cnf", "token_use", "nonce", "at_hash", "c_hash",
	} {
		if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice", Claims: map[string]any{name: "x"}}); err == nil {
			t.Errorf("got no error for the registered claim %s", name)
		}
	}
}

// A brokenSigner is a source whose keys fail to sign.
type brokenSigner struct{ keys.Source }

func (s brokenSigner) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
	opened, problems := s.Source.Open(options)
	return brokenKeys{opened}, problems
}

type brokenKeys struct{ keyaccess.Keys }

func (k brokenKeys) SigningKey(issued, expires time.Time) keyaccess.SigningKey {
	return brokenKey{k.Keys.SigningKey(issued, expires)}
}

type brokenKey struct{ keyaccess.SigningKey }

func (brokenKey) Sign(string) ([]byte, error) { return nil, errBroken }

// TestIssueRefusesItself checks that Issue returns an error for grants whose tokens would
// be refused or would name another subject.
func TestIssueRefusesItself(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	for _, test := range []struct {
		name  string
		grant jwtgate.Grant
	}{
		{"subject that is not UTF-8", jwtgate.Grant{Subject: "a\xff"}},
		{"subject with a control character", jwtgate.Grant{Subject: "a\nb"}},
		{"claims equal but for case", jwtgate.Grant{Subject: "a", Claims: map[string]int{"x": 1, "X": 2}}},
		{"registered claim in another case", jwtgate.Grant{Subject: "a", Claims: map[string]int{"ſub": 1}}},
		{"roles twice", jwtgate.Grant{Subject: "a", Roles: []string{"r"}, Claims: map[string]int{"Roles": 1}}},
		{"too long", jwtgate.Grant{Subject: "a", Claims: map[string]string{"x": strings.Repeat("x", 8192)}}},
	} {
		if token, err := auth.Issue(t.Context(), test.grant); err == nil {
			t.Errorf("%s: got %q", test.name, token.Token)
		}
	}
}
