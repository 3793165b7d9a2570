package jwtgate_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

const (
	refreshInvalid = "401 refresh_invalid invalid_grant"
	refreshExpired = "401 refresh_expired invalid_grant"
	refreshRevoked = "401 refresh_revoked invalid_grant"
	refreshReused  = "401 refresh_reused invalid_grant"
	revoked        = "401 token_revoked"
)

// Each row presents a token of the session at a time after the login: 0 is that
// of the login, 1 its successor. It gets the token of a generation, or a refusal.
func TestRefreshWindow(t *testing.T) {
	t.Parallel()
	type present struct {
		at    time.Duration
		token int
		want  any
	}
	const ms = time.Millisecond
	for _, row := range []struct {
		name  string
		steps []present
	}{
		{"a login opens no window", []present{{0, 0, 1}}},
		{"late", []present{{6 * 24 * time.Hour, 0, 1}}},
		{"replaced, again and again", []present{{0, 0, 1}, {0, 0, 1}, {9 * time.Second, 0, 1}, {9999 * ms, 0, 1}}},
		{"current, again and again", []present{{0, 0, 1}, {0, 1, 1}, {9 * time.Second, 1, 1}, {9999 * ms, 1, 1}}},
		{"the window closes for the current", []present{{0, 0, 1}, {9 * time.Second, 1, 1}, {10 * time.Second, 1, 2}}},
		{"the window closes for the replaced", []present{{0, 0, 1}, {9 * time.Second, 0, 1}, {10 * time.Second, 0, refreshReused}}},
		{"the window does not slide", []present{{0, 0, 1}, {6 * time.Second, 0, 1}, {12 * time.Second, 0, refreshReused}}},
		{"one after the other", []present{{0, 0, 1}, {10 * time.Second, 1, 2}, {20 * time.Second, 2, 3}, {29 * time.Second, 2, 3}, {29 * time.Second, 3, 3}, {30 * time.Second, 3, 4}}},
		{"two behind, within the window", []present{{0, 0, 1}, {10 * time.Second, 1, 2}, {11 * time.Second, 0, refreshReused}}},
		{"replayed, then current", []present{{0, 0, 1}, {10 * time.Second, 0, refreshReused}, {10 * time.Second, 1, refreshRevoked}}},
		{"replayed twice", []present{{0, 0, 1}, {10 * time.Second, 0, refreshReused}, {11 * time.Second, 0, refreshRevoked}}},
		{"remembered", []present{{0, 0, 1}, {10 * time.Second, 0, refreshReused}, {10*time.Second + 16*time.Minute - ms, 0, refreshRevoked}}},
		{"forgotten", []present{{0, 0, 1}, {10 * time.Second, 0, refreshReused}, {10*time.Second + 16*time.Minute, 0, refreshExpired}}},
		{"idle", []present{{7*24*time.Hour - ms, 0, 1}, {14*24*time.Hour - 2*ms, 1, 2}}},
		{"idle for too long", []present{{7 * 24 * time.Hour, 0, refreshExpired}}},
		{"idle for too long after a rotation", []present{{time.Hour, 0, 1}, {time.Hour + 7*24*time.Hour, 1, refreshExpired}}},
		{"answers again do not count as use", []present{{0, 0, 1}, {9 * time.Second, 1, 1}, {7 * 24 * time.Hour, 1, refreshExpired}}},
		{"old", []present{{7*24*time.Hour - ms, 0, 1}, {14*24*time.Hour - 2*ms, 1, 2}, {21*24*time.Hour - 3*ms, 2, 3}, {28*24*time.Hour - 4*ms, 3, 4}, {30*24*time.Hour - time.Second, 4, 5}}},
		{"too old", []present{{7*24*time.Hour - ms, 0, 1}, {14*24*time.Hour - 2*ms, 1, 2}, {21*24*time.Hour - 3*ms, 2, 3}, {28*24*time.Hour - 4*ms, 3, 4}, {30 * 24 * time.Hour, 4, refreshExpired}}},
	} {
		d := newDesk(t)
		tokens := []string{d.token("alice").Refresh}
		for i, step := range row.steps {
			d.clock.Advance(deskOpens.Add(step.at).Sub(d.clock.Now()))
			res := d.refresh(tokens[step.token])
			if generation, good := step.want.(int); good && res.text == "200" {
				if generation == len(tokens) {
					tokens = append(tokens, res.Refresh)
				}
				if res.Refresh != tokens[generation] {
					t.Errorf("%s: step %d: got another token than that of generation %d", row.name, i, generation)
				}
				if got := d.who(res.Access); got != "alice" {
					t.Errorf("%s: step %d: access token: got %s", row.name, i, got)
				}
			} else if res.text != step.want {
				t.Errorf("%s: step %d: got %s; want %v", row.name, i, res.text, step.want)
			}
		}
	}
}

// A window of another length, and the one that refresh tokens have which work once.
func TestRefreshWindowConfigured(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		window time.Duration
		single bool
		after  time.Duration
		want   string
	}{
		{time.Minute, false, time.Minute - time.Millisecond, "200"},
		{time.Minute, false, time.Minute, refreshReused},
		{time.Second, false, 999 * time.Millisecond, "200"},
		{time.Second, false, time.Second, refreshReused},
		{0, true, 0, refreshReused},
		{0, true, time.Second, refreshReused},
	} {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.ReuseWindow, c.Sessions.SingleUse = row.window, row.single })
		tokens := d.token("alice")
		d.rotated(tokens.Refresh)
		d.clock.Advance(row.after)
		if got := d.refresh(tokens.Refresh).text; got != row.want {
			t.Errorf("window of %v, single use %v, after %v: got %s; want %s", row.window, row.single, row.after, got, row.want)
		}
	}
	// Who has tokens that work once gets another with every refresh, however soon.
	d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.SingleUse = true })
	token := d.token("alice").Refresh
	for range 3 {
		next := d.rotated(token).Refresh
		if next == token {
			t.Error("a token that works once was given out again")
		}
		token = next
	}
	codec, err := refreshtoken.New(deskRefreshSecret)
	if err != nil {
		t.Fatal(err)
	}
	ahead, _ := codec.Decode(token)
	ahead.Generation++ // the store lost a rotation
	if got := d.refresh(codec.Encode(ahead)).text; got != "200" {
		t.Errorf("from ahead: got %s", got)
	}
}

// Whatever is not ours to the last bit is refused in the same words, without a
// look at the store, and changes nothing.
func TestRefreshForged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	alice, mallory := d.token("alice"), d.token("mallory")
	codec := func(secret []byte) *refreshtoken.Codec {
		c, err := refreshtoken.New(secret)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	token, err := codec(deskRefreshSecret).Decode(alice.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	sid := sidOf(t, alice.Access)
	raw, err := base64.RawURLEncoding.DecodeString(alice.Refresh[len("jgr1_"):])
	if err != nil {
		t.Fatal(err)
	}
	others, err := base64.RawURLEncoding.DecodeString(mallory.Refresh[len("jgr1_"):])
	if err != nil {
		t.Fatal(err)
	}
	const idAt, nonceAt, macAt = 4, 4 + 18, 4 + 18 + 16 + 4
	text := func(parts ...[]byte) string {
		var all []byte
		for _, part := range parts {
			all = append(all, part...)
		}
		return "jgr1_" + base64.RawURLEncoding.EncodeToString(all)
	}
	forged := map[string]string{
		"the session's id":            sid,
		"the id with our prefix":      "jgr1_" + sid,
		"an access token":             alice.Access,
		"an access token, prefixed":   "jgr1_" + alice.Access,
		"the prefix alone":            "jgr1_",
		"no prefix":                   alice.Refresh[5:],
		"another prefix":              "jgr2_" + alice.Refresh[5:],
		"prefix in capitals":          "JGR1_" + alice.Refresh[5:],
		"prefix twice":                "jgr1_" + alice.Refresh,
		"in small letters":            strings.ToLower(alice.Refresh),
		"space before":                " " + alice.Refresh,
		"space after":                 alice.Refresh + " ",
		"line end after":              alice.Refresh + "\n",
		"line end within":             alice.Refresh[:40] + "\n" + alice.Refresh[40:],
		"line end in place of one":    alice.Refresh[:40] + "\n" + alice.Refresh[41:],
		"NUL after":                   alice.Refresh + "\x00",
		"padding":                     alice.Refresh + "=",
		"cut":                         alice.Refresh[:len(alice.Refresh)-1],
		"two tokens":                  alice.Refresh + mallory.Refresh,
		"two tokens, comma":           alice.Refresh + "," + alice.Refresh,
		"quoted":                      `"` + alice.Refresh + `"`,
		"escaped twice":               strings.ReplaceAll(alice.Refresh, "_", "%5F"),
		"Bearer":                      "Bearer " + alice.Refresh,
		"long":                        strings.Repeat("A", 60_000),
		"id and nonce, other's MAC":   text(raw[:macAt], others[macAt:]),
		"id, other's nonce and MAC":   text(raw[:nonceAt], others[nonceAt:]),
		"other's id, nonce and MAC":   text(others[:nonceAt], raw[nonceAt:]),
		"nonce in other's token":      text(others[:nonceAt], raw[nonceAt:nonceAt+16], others[nonceAt+16:]),
		"id in other's token":         text(others[:idAt], raw[idAt:nonceAt], others[nonceAt:]),
		"no MAC":                      text(raw[:macAt]),
		"MAC of zeros":                text(raw[:macAt], make([]byte, 32)),
		"next generation":             text(raw[:macAt-1], []byte{raw[macAt-1] + 1}, raw[macAt:]),
		"under the signing key":       codec(deskSecret).Encode(token),
		"under a key of zeros":        codec(make([]byte, 32)).Encode(token),
		"under the kid":               codec([]byte(keys.HS256(deskSecret).ID() + "0123456789")).Encode(token),
		"under the refresh key's end": codec(append([]byte("x"), deskRefreshSecret...)).Encode(token),
	}
	for i := range raw {
		for bit := range 8 {
			flipped := append([]byte(nil), raw...)
			flipped[i] ^= 1 << bit
			forged[fmt.Sprintf("bit %d of byte %d flipped", bit, i)] = text(flipped)
		}
	}
	// The last character has bits to spare: only one of its spellings is ours.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. " {
		if spelling := alice.Refresh[:len(alice.Refresh)-1] + string(c); spelling != alice.Refresh {
			forged[fmt.Sprintf("last character %q", c)] = spelling
		}
	}
	d.store.taken()
	var first string
	for name, refresh := range forged {
		for _, encode := range []func(...string) jwtgate.Request{formOf, jsonOf} {
			res := d.ask(d.Refresh, encode("refresh_token", refresh))
			if res.text != refreshInvalid {
				t.Errorf("%s: got %s; want %s", name, res.text, refreshInvalid)
			}
			if first == "" {
				first = fmt.Sprintf("%+v", res.Response)
			}
			if got := fmt.Sprintf("%+v", res.Response); got != first {
				t.Errorf("%s: refused in other words: %s and %s", name, got, first)
			}
			if got := d.ask(d.Logout, encode("refresh_token", refresh)).text; got != "204" {
				t.Errorf("%s: logout: got %s", name, got)
			}
		}
	}
	if calls := d.store.taken(); calls != "" {
		t.Errorf("the store was asked to %s", calls)
	}
	if got := d.book.told(); strings.Count(got, "\n") != 1 {
		t.Errorf("told more than two logins: %s", got)
	}
	for _, tokens := range []deskReply{alice, mallory} {
		if d.refresh(tokens.Refresh).text != "200" {
			t.Error("after all, the genuine token is refused")
		}
	}
}

// Even who has the key cannot go on with a session without its nonce. That the
// key is known is worth an alarm; the answer does not say so.
func TestRefreshForgedByKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	alice, other := d.token("alice"), d.token("alice")
	codec, err := refreshtoken.New(deskRefreshSecret)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := codec.Decode(alice.Refresh)
	others, _ := codec.Decode(other.Refresh)
	d.book.told()
	for name, nonce := range map[string]refreshtoken.Nonce{"random": refreshtoken.NewNonce(), "another session's": others.Nonce, "zero": {}, "derived": codec.DerivedNonce(token.ID)} {
		forged := token
		forged.Nonce = nonce
		req := withField(formOf("refresh_token", codec.Encode(forged)), "User-Agent", "forge")
		if got, want := d.ask(d.Refresh, req), d.refresh("x"); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s nonce: got %+v; want %+v", name, got, want)
		}
		if got, want := d.book.told(), "forged alice "+token.ID.String()+" by forge"; got != want {
			t.Errorf("%s nonce: told %q; want %q", name, got, want)
		}
		d.ask(d.Logout, formOf("refresh_token", codec.Encode(forged)))
		if got := d.who(alice.Access); got != "alice" {
			t.Errorf("%s nonce: the session after it: got %s", name, got)
		}
	}
	if got := d.refresh(alice.Refresh).text; got != "200" {
		t.Errorf("after all: got %s", got)
	}
	// A session that never was.
	unknown := refreshtoken.Token{ID: session.NewID("alice"), Nonce: refreshtoken.NewNonce()}
	if got := d.refresh(codec.Encode(unknown)).text; got != refreshExpired {
		t.Errorf("a session that never was: got %s", got)
	}
}

// Who is refused anyway costs one look at the store, and no look at the subject.
func TestRefreshRefusedEarly(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.RefreshTTL = time.Hour })
	codec, err := refreshtoken.New(deskRefreshSecret)
	if err != nil {
		t.Fatal(err)
	}
	ended, idle := d.token("alice"), d.token("alice")
	d.logout(ended.Refresh)
	forged, _ := codec.Decode(idle.Refresh)
	forged.Nonce = refreshtoken.NewNonce()
	d.loads(func(context.Context, string) (jwtgate.Grant, error) {
		t.Error("the subject was asked for")
		return jwtgate.Grant{}, nil
	})
	for _, row := range []struct {
		name    string
		refresh string
		after   time.Duration
		want    string
	}{
		{"ended", ended.Refresh, 0, refreshRevoked},
		{"another nonce", codec.Encode(forged), 0, refreshInvalid},
		{"idle for too long", idle.Refresh, time.Hour, refreshExpired},
		{"never was", codec.Encode(refreshtoken.Token{ID: session.NewID("alice")}), 0, refreshExpired},
	} {
		d.clock.Advance(row.after)
		d.store.taken()
		if got, calls := d.refresh(row.refresh).text, d.store.taken(); got != row.want || calls != "Find" {
			t.Errorf("%s: got %s after %s; want %s after Find", row.name, got, calls, row.want)
		}
	}
}

// The tokens are not each other: neither passes for the other anywhere.
func TestTokensAreNotEachOther(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	if got := d.refresh(tokens.Access).text; got != refreshInvalid {
		t.Errorf("access token as refresh token: got %s", got)
	}
	if got := d.who(tokens.Refresh); got != "401 token_invalid" {
		t.Errorf("refresh token as access token: got %s", got)
	}
	for endpoint, serve := range map[string]jwtgate.Endpoint{"/sessions": d.ListSessions, "/logout/all": d.LogoutAll, "/sessions/{id}": d.DeleteSession} {
		req := bearing(tokens.Refresh, jwtgate.Request{Method: map[string]string{"/sessions": "GET", "/logout/all": "POST", "/sessions/{id}": "DELETE"}[endpoint]})
		if got := d.ask(serve, req).text; got != "401 token_invalid" {
			t.Errorf("refresh token as access token at %s: got %s", endpoint, got)
		}
	}
	if got := d.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("after all: got %s", got)
	}
}

// An access token that comes along must be of the same session, its age and a
// key that is no longer held apart.
func TestRefreshCompanion(t *testing.T) {
	t.Parallel()
	partner := keys.HS256([]byte("signs the tokens of a partner, whom we trust some way"))
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	alice, second, bob := d.token("alice"), d.token("alice"), d.token("bob")
	sid := sidOf(t, alice.Access)
	now := d.clock.Now().Unix()
	sign := func(secret []byte, header, payload string) string {
		return jwtgatetest.Sign(t, "HS256", secret, header, payload)
	}
	claims := fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"alice","sid":%q,"exp":%d}`, deskIssuer, deskAudience, sid, now+600)
	foreign := strings.Replace(claims, deskIssuer, "https://partner.example", 1)
	stranger := []byte("a key that nobody here has ever heard of, long enough")
	const invalid, malformed = "401 token_invalid invalid_grant", "400 malformed_credentials invalid_request"
	bearer := func(token string) []string { return []string{"Bearer " + token} }
	for _, row := range []struct {
		name          string
		authorization []string
		want          string
	}{
		{"none", nil, "200"},
		{"the session's own", bearer(alice.Access), "200"},
		{"the session's own, scheme in capitals", []string{"BEARER  " + alice.Access}, "200"},
		{"the session's own, expired", bearer(d.minted(map[string]any{"sid": sid, "iat": now - 4000, "exp": now - 1000})), "200"},
		{"the session's own, minted elsewhere", bearer(d.minted(map[string]any{"sid": sid})), "200"},
		{"kid that is not held", bearer(sign(stranger, `{"alg":"HS256","kid":"last year's"}`, claims)), "200"},
		{"kid that is not held, another session", bearer(sign(stranger, `{"alg":"HS256","kid":"last year's"}`, `{}`)), "200"},
		{"Basic", []string{"Basic YWxpY2U6d29uZGVybGFuZA=="}, "200"},
		{"DPoP", []string{"DPoP " + bob.Access}, "200"},
		{"scheme that begins like ours", []string{"BearerX " + bob.Access}, "200"},
		{"empty line", []string{""}, "200"},

		{"another session of the subject", bearer(second.Access), invalid},
		{"another subject", bearer(bob.Access), invalid},
		{"another session, expired", bearer(d.minted(map[string]any{"sid": sidOf(t, bob.Access), "iat": now - 4000, "exp": now - 1000})), invalid},
		{"no session", bearer(jwtgatetest.Token(t, d.Auth, "alice")), invalid},
		{"no session, expired", bearer(d.minted(map[string]any{"iat": now - 4000, "exp": now - 1000})), invalid},
		{"sid that is no session's", bearer(d.minted(map[string]any{"sid": "x"})), invalid},
		{"forged", bearer(sign(stranger, `{"alg":"HS256"}`, claims)), invalid},
		{"forged, our kid", bearer(sign(stranger, `{"alg":"HS256","kid":"`+keys.HS256(deskSecret).ID()+`"}`, claims)), invalid},
		{"forged, expired", bearer(sign(stranger, `{"alg":"HS256"}`, strings.Replace(claims, fmt.Sprint(now+600), fmt.Sprint(now-600), 1))), invalid},
		{"unsigned", bearer(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."), invalid},
		{"our kid with another algorithm", bearer(jwtgatetest.Sign(t, "HS384", deskSecret, `{"alg":"HS384","kid":"`+keys.HS256(deskSecret).ID()+`"}`, claims)), invalid},
		{"signature cut", bearer(alice.Access[:len(alice.Access)-1]), invalid},
		{"not yet good", bearer(d.minted(map[string]any{"sid": sid, "nbf": now + 60})), invalid},
		{"another audience", bearer(d.minted(map[string]any{"sid": sid, "aud": "x"})), invalid},
		{"another issuer", bearer(d.minted(map[string]any{"sid": sid, "iss": "x"})), invalid},
		{"another type", bearer(sign(deskSecret, `{"alg":"HS256","typ":"id+jwt"}`, claims)), invalid},
		{"a partner's", bearer(sign([]byte("signs the tokens of a partner, whom we trust some way"), `{"alg":"HS256","kid":"`+partner.ID()+`"}`, foreign)), invalid},
		{"a refresh token", bearer(alice.Refresh), invalid},
		{"no JWS", bearer("x"), invalid},

		{"two headers", []string{"Bearer " + alice.Access, "Bearer " + alice.Access}, malformed},
		{"two headers, one of another scheme", []string{"Basic eDp5", "Bearer " + alice.Access}, malformed},
		{"two in one line", []string{"Bearer " + alice.Access + ", Bearer " + alice.Access}, malformed},
		{"no token", []string{"Bearer"}, malformed},
		{"spaces", []string{"Bearer   "}, malformed},
		{"space after it", []string{"Bearer " + alice.Access + " "}, malformed},
		{"control character", []string{"Bearer " + alice.Access + "\x00"}, malformed},
		{"tab", []string{"Bearer\t" + alice.Access}, malformed},
		{"over the size limit", bearer(strings.Repeat("x", 8193)), malformed},
	} {
		d.store.taken()
		req := withField(formOf("refresh_token", alice.Refresh), "Authorization", row.authorization...)
		if got := d.ask(d.Refresh, req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
		if calls := d.store.taken(); row.want != "200" && calls != "" {
			t.Errorf("%s: the store was asked to %s", row.name, calls)
		}
	}
}

// Who a subject is now is asked at each refresh.
func TestRefreshLoadsSubject(t *testing.T) {
	t.Parallel()
	type key struct{}
	d := newDesk(t)
	alice, second := d.token("alice"), d.token("alice")
	d.book.told()

	d.loads(func(ctx context.Context, subject string) (jwtgate.Grant, error) {
		if subject != "alice" || ctx.Value(key{}) != "kept" {
			t.Errorf("asked for %q with %v", subject, ctx)
		}
		return jwtgate.Grant{Roles: []string{"admin", "auditor"}, Scopes: []string{"read"}, Claims: map[string]string{"tenant": "x"}}, nil
	})
	res := d.read(d.Refresh(context.WithValue(t.Context(), key{}, "kept"), formOf("refresh_token", alice.Refresh)))
	_, before := claimsOf(t, alice.Access)
	_, after := claimsOf(t, res.Access)
	if fmt.Sprintf("%v %v %v", after["roles"], after["scope"], after["tenant"]) != "[admin auditor] read x" {
		t.Errorf("claims after the change: %v", after)
	}
	for _, name := range []string{"sub", "sid", "auth_time", "iss", "aud"} {
		if fmt.Sprint(before[name]) != fmt.Sprint(after[name]) {
			t.Errorf("%s was %v and is %v", name, before[name], after[name])
		}
	}
	if before["jti"] == after["jti"] {
		t.Error("two access tokens have one jti")
	}

	d.clock.Advance(time.Minute)
	d.loads(noSubject)
	d.book.told()
	if got := d.refresh(res.Refresh).text; got != refreshRevoked {
		t.Errorf("subject is gone: got %s", got)
	}
	for _, access := range []string{alice.Access, res.Access} {
		if got := d.who(access); got != revoked {
			t.Errorf("access token of a subject that is gone: got %s", got)
		}
	}
	if got, want := d.book.told(), "disabled alice "+sidOf(t, alice.Access); got != want {
		t.Errorf("told %q; want %q", got, want)
	}
	d.loads(nil)
	if got := d.refresh(res.Refresh).text; got != refreshRevoked {
		t.Errorf("subject is back: got %s", got)
	}
	if got := d.refresh(second.Refresh).text; got != "200" {
		t.Errorf("another session of a subject that is back: got %s", got)
	}
}

// A subject that is gone has its session ended, if not now, then at the next try.
func TestRefreshSubjectGoneInTrouble(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	d.loads(noSubject)
	d.store.breaks("End", false)
	if got := d.refresh(tokens.Refresh).text; got != "503 unavailable" {
		t.Errorf("End fails: got %s", got)
	}
	d.store.mend()
	if got := d.refresh(tokens.Refresh).text; got != refreshRevoked {
		t.Errorf("End works again: got %s", got)
	}
	if got := d.who(tokens.Access); got != revoked {
		t.Errorf("access token: got %s", got)
	}
	// One that was replayed is gone for being replayed, whoever the subject was.
	d.loads(nil)
	tokens = d.token("alice")
	d.rotated(tokens.Refresh)
	d.clock.Advance(10 * time.Second)
	d.loads(noSubject)
	if got := d.refresh(tokens.Refresh).text; got != refreshReused {
		t.Errorf("replayed: got %s", got)
	}
}

// Trouble with the subject, the key or the store changes nothing: the same token
// works when it is over. If the store did the step before it failed, the token
// works within the window, and gets what it would have got.
func TestRefreshTrouble(t *testing.T) {
	t.Parallel()
	bad := func(grant jwtgate.Grant) func(context.Context, string) (jwtgate.Grant, error) {
		return func(context.Context, string) (jwtgate.Grant, error) { return grant, nil }
	}
	for _, row := range []struct {
		name    string
		subject func(context.Context, string) (jwtgate.Grant, error)
		call    string
		after   bool
		calls   string
		rotated bool
	}{
		{"subject", troubledSubject, "", false, "Find", false},
		{"claims that are registered", badSubject, "", false, "Find", false},
		{"claims that are no object", bad(jwtgate.Grant{Claims: "x"}), "", false, "Find", false},
		{"claims that do not encode", bad(jwtgate.Grant{Claims: make(chan int)}), "", false, "Find", false},
		{"scope that is none", bad(jwtgate.Grant{Scopes: []string{"a b"}}), "", false, "Find", false},
		{"Find", nil, "Find", false, "Find", false},
		{"Find, late", nil, "Find", true, "Find", false},
		{"Advance", nil, "Advance", false, "Find Advance", false},
		{"Advance, late", nil, "Advance", true, "Find Advance", true},
	} {
		d := newDesk(t)
		tokens := d.token("alice")
		d.book.told()
		for range 3 {
			d.loads(row.subject)
			d.store.breaks(row.call, row.after)
			if got := d.refresh(tokens.Refresh).text; got != "503 unavailable" {
				t.Errorf("%s: got %s; want 503", row.name, got)
			}
			if calls := d.store.taken(); calls != row.calls {
				t.Errorf("%s: the store was asked to %s; want %s", row.name, calls, row.calls)
			}
			if told := d.book.told(); !strings.HasPrefix(told, "store_down ") || strings.Contains(told, "\n") {
				t.Errorf("%s: told %q", row.name, told)
			}
			if got := d.who(tokens.Access); got != "alice" {
				t.Errorf("%s: access token: got %s", row.name, got)
			}
			d.clock.Advance(time.Second)
		}
		d.loads(nil)
		d.store.mend()
		// What is asked for again may be asked of another process.
		other := d.another()
		res := other.refresh(tokens.Refresh)
		if res.text != "200" || res.Refresh == tokens.Refresh {
			t.Fatalf("%s: when it is over: got %s", row.name, res.text)
		}
		if got, want := d.book.count(jwtgate.EventRepeated) == 1, row.rotated; got != want {
			t.Errorf("%s: told %q", row.name, d.book.told())
		}
		if again := d.rotated(tokens.Refresh); again.Refresh != res.Refresh {
			t.Errorf("%s: two successors", row.name)
		}
		d.clock.Advance(10 * time.Second)
		if next := d.rotated(res.Refresh); d.who(next.Access) != "alice" {
			t.Errorf("%s: the session does not go on", row.name)
		}
	}
}

// A step that was answered too late is one that can be asked for again.
func TestRefreshAnswerLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	crash := func() (crashed bool) {
		defer func() { crashed = recover() != nil }()
		d.store.hook(nil, func(_ context.Context, call string) error {
			if call == "Advance" {
				panic("the process is gone, and its answer with it")
			}
			return nil
		})
		d.refresh(tokens.Refresh)
		return false
	}
	if !crash() {
		t.Fatal("Advance was not called")
	}
	d.store.mend()
	restarted := d.another()
	res := restarted.rotated(tokens.Refresh)
	if got := restarted.who(res.Access); got != "alice" {
		t.Errorf("access token: got %s", got)
	}
	d.clock.Advance(10 * time.Second)
	restarted.rotated(res.Refresh)
}

// When the client hangs up, the step is done all the same, and the next call
// gets what it missed.
func TestRefreshCancelled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "Find", "Subject", "Advance"} {
		d := newDesk(t)
		tokens := d.token("alice")
		ctx, hangUp := context.WithCancel(t.Context())
		reached := func(ctx context.Context, call string) error {
			if call == at {
				hangUp()
			}
			if _, bounded := ctx.Deadline(); ctx.Err() != nil || !bounded {
				t.Errorf("hung up at %q: %s has a context that is done, or never will be", at, call)
			}
			return nil
		}
		d.store.hook(reached, nil)
		d.loads(func(ctx context.Context, _ string) (jwtgate.Grant, error) {
			return jwtgate.Grant{}, reached(ctx, "Subject")
		})
		if at == "" {
			hangUp()
		}
		res := d.read(d.Refresh(ctx, formOf("refresh_token", tokens.Refresh)))
		hangUp()
		if res.text != "200" {
			t.Errorf("hung up at %q: got %s", at, res.text)
		}
		d.clock.Advance(9 * time.Second)
		if again := d.rotated(tokens.Refresh); again.Refresh != res.Refresh {
			t.Errorf("hung up at %q: the next call gets another token", at)
		}
	}
}

// What hangs is given up after Timeout, with nothing changed.
func TestRefreshTimeout(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"Find", "Subject", "Advance"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.Timeout = 3 * time.Second })
			tokens := d.token("alice")
			hang := func(ctx context.Context, call string) error {
				if call != at {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
			d.store.hook(hang, nil)
			d.loads(func(ctx context.Context, _ string) (jwtgate.Grant, error) {
				return jwtgate.Grant{}, hang(ctx, "Subject")
			})
			begun := time.Now()
			if got := d.refresh(tokens.Refresh).text; got != "503 unavailable" || time.Since(begun) != 3*time.Second {
				t.Errorf("%s hangs: got %s after %v; want 503 after 3s", at, got, time.Since(begun))
			}
			d.store.mend()
			d.loads(nil)
			if got := d.refresh(tokens.Refresh).text; got != "200" || d.book.count(jwtgate.EventRotated) != 1 {
				t.Errorf("%s hung: then got %s", at, got)
			}
		})
	}
}

// Any number of parallel refreshes make one rotation, and all get its token.
func TestRefreshRacers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	other := d.another()
	token := d.token("alice").Refresh
	for round := range 5 {
		d.book.told()
		answers := make([]deskReply, 64)
		var racers sync.WaitGroup
		start := make(chan struct{})
		for i := range answers {
			racers.Go(func() {
				<-start
				answers[i] = []*desk{d, other}[i%2].refresh(token)
			})
		}
		close(start)
		racers.Wait()
		seen := map[string]bool{}
		for _, res := range answers {
			if res.text != "200" || res.Refresh != answers[0].Refresh {
				t.Fatalf("round %d: got %s, and not one token", round, res.text)
			}
			if got := d.who(res.Access); got != "alice" || seen[res.Access] {
				t.Errorf("round %d: access token: got %s, seen before: %v", round, got, seen[res.Access])
			}
			seen[res.Access] = true
		}
		if got := d.book.count(jwtgate.EventRotated); got != 1 || d.book.count(jwtgate.EventRepeated) != 63 {
			t.Errorf("round %d: %d rotations: %s", round, got, d.book.told())
		}
		token = answers[0].Refresh
		d.clock.Advance(10 * time.Second)
	}
}

// A token that works once works once, however many try: the session of those who
// tried is over.
func TestRefreshRacersSingleUse(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.SingleUse = true })
	tokens := d.token("alice")
	answers := make([]deskReply, 16)
	var racers sync.WaitGroup
	for i := range answers {
		racers.Go(func() { answers[i] = d.refresh(tokens.Refresh) })
	}
	racers.Wait()
	count := map[string]int{}
	for _, res := range answers {
		count[res.text]++
		if res.text == "200" {
			if got := d.who(res.Access); got != revoked {
				t.Errorf("access token of the winner: got %s", got)
			}
			if got := d.refresh(res.Refresh).text; got != refreshRevoked {
				t.Errorf("refresh token of the winner: got %s", got)
			}
		}
	}
	if count["200"] != 1 || count[refreshReused] != 1 || count[refreshRevoked] != 14 {
		t.Errorf("answers are %v", count)
	}
	if d.book.count(jwtgate.EventRotated) != 1 || d.book.count(jwtgate.EventReused) != 1 {
		t.Errorf("told %s", d.book.told())
	}
}

// ways are how a session ends that was rotated once, ten seconds ago.
var ways = map[string]func(d *desk, first, last deskReply) string{
	"/logout":         func(d *desk, _, last deskReply) string { return d.logout(last.Refresh).text },
	"/logout, Bearer": func(d *desk, _, last deskReply) string { return d.ask(d.Logout, bearing(last.Access, formOf())).text },
	"/logout/all": func(d *desk, _, last deskReply) string {
		return d.ask(d.LogoutAll, bearing(last.Access, formOf())).text
	},
	"replay":      func(d *desk, first, _ deskReply) string { return d.refresh(first.Refresh).text },
	"EndSessions": func(d *desk, _, _ deskReply) string { return fmt.Sprint(d.EndSessions(d.tb.Context(), "alice")) },
}

// Nothing that a refresh hands out survives the end of the session, at whatever
// point of the refresh that comes.
func TestRefreshAndEnd(t *testing.T) {
	t.Parallel()
	for name, end := range ways {
		for _, at := range []string{"before Find", "after Find", "Subject", "before Advance", "after Advance"} {
			d := newDesk(t)
			first := d.token("alice")
			last := d.rotated(first.Refresh)
			d.clock.Advance(10 * time.Second)
			ended := false
			reached := func(point string) error {
				if point == at && !ended {
					ended = true
					end(d, first, last)
				}
				return nil
			}
			d.store.hook(
				func(_ context.Context, call string) error { return reached("before " + call) },
				func(_ context.Context, call string) error { return reached("after " + call) })
			d.loads(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, reached("Subject") })
			res := d.refresh(last.Refresh)
			want := refreshRevoked
			if at == "after Advance" {
				want = "200"
			}
			if res.text != want || !ended {
				t.Errorf("%s %s: refresh: got %s; want %s", name, at, res.text, want)
			}
			if res.text != "200" {
				continue
			}
			if got := d.who(res.Access); got != revoked {
				t.Errorf("%s %s: access token: got %s", name, at, got)
			}
			if got := d.refresh(res.Refresh).text; got != refreshRevoked {
				t.Errorf("%s %s: refresh token: got %s", name, at, got)
			}
		}
	}
}

// The same, as it comes.
func TestRefreshAndEndRacers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, end := range ways {
		for range 30 {
			first := d.token("alice")
			last := d.rotated(first.Refresh)
			d.clock.Advance(10 * time.Second)
			var res deskReply
			var both sync.WaitGroup
			both.Go(func() { res = d.refresh(last.Refresh) })
			both.Go(func() { end(d, first, last) })
			both.Wait()
			if res.text != "200" {
				if res.text != refreshRevoked {
					t.Errorf("%s: refresh: got %s", name, res.text)
				}
				continue
			}
			if got := d.who(res.Access); got != revoked {
				t.Errorf("%s: access token: got %s", name, got)
			}
			if got := d.refresh(res.Refresh).text; got != refreshRevoked {
				t.Errorf("%s: refresh token: got %s", name, got)
			}
		}
	}
}

// A replayed token ends its session at once, on every process, and no other.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		other := d.another()
		synctest.Wait()
		alice, second, bob := d.token("alice"), d.token("alice"), d.token("bob")
		next := d.rotated(alice.Refresh)
		d.clock.Advance(10 * time.Second)
		last := d.rotated(next.Refresh)
		d.book.told()
		req := withField(formOf("refresh_token", alice.Refresh), "User-Agent", "thief")
		if got := d.ask(d.Refresh, req).text; got != refreshReused {
			t.Fatalf("replayed: got %s", got)
		}
		if got, want := d.book.told(), "reused alice "+sidOf(t, alice.Access)+" by thief"; got != want {
			t.Errorf("told %q; want %q", got, want)
		}
		for _, at := range []*desk{d, other} {
			for i, access := range []string{alice.Access, next.Access, last.Access} {
				if got := at.who(access); got != revoked {
					t.Errorf("access token of generation %d: got %s", i, got)
				}
			}
			for i, refresh := range []string{alice.Refresh, next.Refresh, last.Refresh} {
				if got := at.refresh(refresh).text; got != refreshRevoked {
					t.Errorf("refresh token of generation %d: got %s", i, got)
				}
			}
			if at.who(second.Access) != "alice" || at.who(bob.Access) != "bob" {
				t.Error("other sessions are over, too")
			}
		}
		if d.refresh(second.Refresh).text != "200" || d.refresh(bob.Refresh).text != "200" {
			t.Error("other sessions are over, too")
		}
		if got := d.book.count(jwtgate.EventReused); got != 0 {
			t.Errorf("told %d times more", got)
		}
	})
}

// A replay is acted on whatever the state of the application: who makes the
// subject loader fail must not be able to go on with a stolen session.
func TestReplayInTrouble(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	next := d.rotated(tokens.Refresh)
	d.clock.Advance(10 * time.Second)
	d.loads(troubledSubject)
	d.refresh(tokens.Refresh)
	if got := d.who(next.Access); got != revoked {
		t.Errorf("access token after a replay while the loader fails: got %s; want %s", got, revoked)
	}
}

// A genuine token from ahead of the record means that the store lost rotations.
func TestRefreshHealed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		ahead uint32
		after time.Duration
		want  string
	}{
		{1, 0, "200"},
		{2, 0, refreshReused},
		{2, 10 * time.Second, "200"},
		{361, time.Hour, "200"},
		{362, time.Hour, refreshReused},
		{1<<32 - 2, time.Hour, refreshReused},
		{1<<32 - 1, time.Hour, refreshExpired}, // it has no successor
	} {
		d := newDesk(t)
		tokens := d.token("alice")
		d.clock.Advance(row.after)
		codec, err := refreshtoken.New(deskRefreshSecret)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := codec.Decode(tokens.Refresh)
		token.Generation = row.ahead
		d.book.told()
		res := d.refresh(codec.Encode(token))
		if res.text != row.want {
			t.Errorf("%d ahead after %v: got %s; want %s", row.ahead, row.after, res.text, row.want)
		}
		if res.text != "200" {
			continue
		}
		if got, want := d.book.told(), "healed alice "+token.ID.String(); got != want {
			t.Errorf("told %q; want %q", got, want)
		}
		if next, err := codec.Decode(res.Refresh); err != nil || next.Generation != row.ahead {
			t.Errorf("%d ahead: the answer is of generation %d", row.ahead, next.Generation)
		}
		d.clock.Advance(10 * time.Second)
		if got := d.refresh(tokens.Refresh).text; got != refreshReused {
			t.Errorf("%d ahead: what the store thought current: got %s", row.ahead, got)
		}
	}
}

// No access token outlives its session, and each says how long it has.
func TestRefreshLimits(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.SessionTTL = 20 * time.Minute })
	ends := deskOpens.Add(20 * time.Minute).Unix()
	res := d.token("alice")
	for _, row := range []struct {
		at   time.Duration
		want time.Duration // of the access token; 0: refused
	}{
		{0, 15 * time.Minute},
		{5 * time.Minute, 15 * time.Minute},
		{5*time.Minute + time.Second, 15*time.Minute - time.Second},
		{10*time.Minute + 1500*time.Millisecond, 599 * time.Second},
		{20*time.Minute - time.Second, time.Second},
		{20*time.Minute - 999*time.Millisecond, time.Second},
		{20 * time.Minute, 0},
	} {
		d.clock.Advance(deskOpens.Add(row.at).Sub(d.clock.Now()))
		next := d.refresh(res.Refresh)
		if row.want == 0 {
			if next.text != refreshExpired {
				t.Errorf("at %v: got %s", row.at, next.text)
			}
			continue
		}
		if next.text != "200" || next.Expires != row.want {
			t.Fatalf("at %v: got %s, good for %v; want %v", row.at, next.text, next.Expires, row.want)
		}
		if _, claims := claimsOf(t, next.Access); claims["exp"].(float64) > float64(ends) {
			t.Errorf("at %v: exp is %.0f s past the session's end", row.at, claims["exp"].(float64)-float64(ends))
		}
		res = next
	}
	if got := d.who(res.Access); got != "401 token_expired" {
		t.Errorf("access token at the session's end: got %s", got)
	}
}

// Jitter makes access tokens shorter, each by another part, and never longer.
func TestJitter(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.Jitter = 5 * time.Minute })
	seen := map[time.Duration]bool{}
	for range 200 {
		res := d.token("alice")
		if res.Expires < 10*time.Minute || res.Expires > 15*time.Minute {
			t.Fatalf("access token is good for %v", res.Expires)
		}
		if _, claims := claimsOf(t, res.Access); claims["exp"].(float64)-claims["iat"].(float64) != res.Expires.Seconds() {
			t.Errorf("expires_in is %v, claims are %v", res.Expires, claims)
		}
		seen[res.Expires] = true
	}
	if len(seen) < 20 {
		t.Errorf("200 access tokens have %d lifetimes", len(seen))
	}
}

// Two clocks that differ, the Auth's and the store's, cost nobody a session.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-24 * time.Hour, -time.Hour, -11 * time.Second, -time.Second, -time.Millisecond, time.Millisecond, time.Second, 11 * time.Second, time.Hour, 24 * time.Hour} {
		ours := jwtgatetest.NewClock(deskOpens.Add(ahead))
		d := newDesk(t, func(c *jwtgate.Config) { c.Now = ours.Now })
		pass := func(by time.Duration) {
			ours.Advance(by)
			d.clock.Advance(by) // the store's
		}
		tokens := d.token("alice")
		for round := range 3 {
			if got := d.who(tokens.Access); got != "alice" {
				t.Errorf("%v ahead, round %d: access token: got %s", ahead, round, got)
			}
			next := d.rotated(tokens.Refresh)
			pass(9 * time.Second)
			if d.rotated(tokens.Refresh).Refresh != next.Refresh || d.rotated(next.Refresh).Refresh != next.Refresh {
				t.Errorf("%v ahead, round %d: the window is not open", ahead, round)
			}
			pass(time.Second)
			tokens = next
		}
		next := d.rotated(tokens.Refresh)
		pass(10 * time.Second)
		if got := d.refresh(tokens.Refresh).text; got != refreshReused {
			t.Errorf("%v ahead: the window does not close: got %s", ahead, got)
		}
		if got := d.who(next.Access); got != revoked {
			t.Errorf("%v ahead: access token after a replay: got %s", ahead, got)
		}
	}
}

// One clock that steps: the session lives on with its current token, and what is
// handed out is good by the clock as it is now.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		step     time.Duration
		replaced string // what the replaced token gets: "": the same successor
	}{
		{-time.Second, ""},
		{-9 * time.Second, ""},
		{-10 * time.Second, refreshReused},
		{-time.Hour, refreshReused},
		{-8 * 24 * time.Hour, refreshReused},
		{9 * time.Second, ""},
		{10 * time.Second, refreshReused},
		{time.Hour, refreshReused},
	} {
		d := newDesk(t)
		tokens := d.token("alice")
		next := d.rotated(tokens.Refresh)
		d.clock.Advance(row.step)
		res := d.rotated(next.Refresh)
		if got := d.who(res.Access); got != "alice" {
			t.Errorf("step of %v: access token: got %s", row.step, got)
		}
		if d.rotated(res.Refresh); d.live("alice") != 1 {
			t.Errorf("step of %v: the session is over", row.step)
		}

		d = newDesk(t)
		tokens = d.token("alice")
		next = d.rotated(tokens.Refresh)
		d.clock.Advance(row.step)
		res = d.refresh(tokens.Refresh)
		if row.replaced == "" && res.Refresh != next.Refresh || row.replaced != "" && res.text != row.replaced {
			t.Errorf("step of %v: replaced token: got %s; want %s", row.step, res.text, row.replaced)
		}
	}
	// A clock that is far ahead for a moment.
	d := newDesk(t)
	tokens := d.token("alice")
	d.clock.Advance(365 * 24 * time.Hour)
	if got := d.refresh(tokens.Refresh).text; got != refreshExpired {
		t.Errorf("a year later: got %s", got)
	}
	d.clock.Advance(-365 * 24 * time.Hour)
	if got := d.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("back again: got %s", got)
	}
}

// Refresh tokens outlive the rotation of the secret that they are made under, and
// that of the keys which sign access tokens.
func TestRefreshKeys(t *testing.T) {
	t.Parallel()
	next := []byte("makes the refresh tokens of the desk from now on, and")
	secrets := func(secrets ...[]byte) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) { c.Sessions.Keys = secrets }
	}
	d := newDesk(t)
	both := d.another(secrets(next, deskRefreshSecret))
	only := d.another(secrets(next))
	tokens := d.token("alice")
	if got := only.refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("under a secret that is not held: got %s", got)
	}
	successor := both.rotated(tokens.Refresh)
	if again := both.rotated(tokens.Refresh); again.Refresh != successor.Refresh {
		t.Error("two successors")
	}
	if got := d.refresh(successor.Refresh).text; got != refreshInvalid {
		t.Errorf("under a secret that is not held yet: got %s", got)
	}
	if got := only.refresh(successor.Refresh).text; got != "200" {
		t.Errorf("under the new secret: got %s", got)
	}

	signing := d.another(func(c *jwtgate.Config) { c.Keys = keys.HS256(next) })
	d.clock.Advance(10 * time.Second)
	second := d.token("bob")
	req := bearing(second.Access, formOf("refresh_token", second.Refresh)) // its key is not held any longer
	if got := signing.ask(signing.Refresh, req).text; got != "200" {
		t.Errorf("with another signing key: got %s", got)
	}
}

// A restart without a store that outlives it, or a secret that does, costs the
// sessions and nothing else.
func TestRefreshAfterRestart(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	empty := d.another(func(c *jwtgate.Config) { c.Sessions.Store = session.NewMemory(0, d.clock.Now) })
	if got := empty.refresh(tokens.Refresh).text; got != refreshExpired {
		t.Errorf("with an empty store: got %s", got)
	}
	if got := empty.logout(tokens.Refresh).text; got != "204" {
		t.Errorf("logout with an empty store: got %s", got)
	}
	random := d.another(func(c *jwtgate.Config) {
		c.Keys, c.Sessions.Keys, c.Sessions.Store = keys.HS256([]byte("signs the access tokens of the desk from now on, alone")), nil, nil
	})
	if got := random.refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("with another secret: got %s", got)
	}
	if got := d.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("after all: got %s", got)
	}
}

// Nothing but the body and the method matter: no header turns a refresh around.
func TestRefreshIgnores(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	req := formOf("refresh_token", tokens.Refresh, "username", "bob", "scope", "admin", "client_id", "x", "client_secret", "y", "sub", "bob", "sid", "z")
	req.Path, req.Host = "//x/../y", "evil.example"
	req.Header = http.Header{
		"Content-Type": {formType}, "Cookie": {"__Host-rt=x", "__Host-rt=y"},
		"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Upgrade": {"websocket"},
	}
	res := d.ask(d.Refresh, req)
	if res.text != "200" || d.who(res.Access) != "alice" {
		t.Errorf("got %s", res.text)
	}
	if _, claims := claimsOf(t, res.Access); fmt.Sprintf("%v %v", claims["roles"], claims["scope"]) != "[user] <nil>" {
		t.Errorf("claims are %v", claims)
	}
	if got := d.ask(d.Refresh, jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Cookie": {"__Host-rt=" + tokens.Refresh}}}).text; got != "401 refresh_missing invalid_grant" {
		t.Errorf("a cookie where none are configured: got %s", got)
	}
}
