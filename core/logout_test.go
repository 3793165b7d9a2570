package jwtgate_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// Each row logs out with a body and a Bearer token, and says who is still signed
// in after it: alice by the body's session, bob by the Bearer token's.
func TestLogoutCarriers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	codec, err := refreshtoken.New(deskRefreshSecret)
	if err != nil {
		t.Fatal(err)
	}
	stranger := []byte("a key that nobody here has ever heard of, long enough")
	for _, row := range []struct {
		name string
		body func(alice deskReply) string // the parameter refresh_token
		head func(bob deskReply) []string // the lines of Authorization
		want string
	}{
		{"nothing", nil, nil, "alice bob"},
		{"body", refreshOf, nil, "bob"},
		{"Bearer", nil, bearerOf, "alice"},
		{"both: the body goes first", refreshOf, bearerOf, "bob"},
		{"garbage in the body, Bearer", textOf("garbage"), bearerOf, "alice"},
		{"access token in the body, Bearer", accessOf, bearerOf, "alice"},
		{"access token in the body", accessOf, nil, "alice bob"},
		{"sid in the body", func(alice deskReply) string { return sidOf(t, alice.Access) }, nil, "alice bob"},
		{"forged refresh token, Bearer", func(alice deskReply) string { return alice.Refresh[:len(alice.Refresh)-4] + "AAAA" }, bearerOf, "alice"},
		{"session that never was, Bearer", textOf(codec.Encode(refreshtoken.Token{ID: session.NewID("alice"), Nonce: refreshtoken.NewNonce()})), bearerOf, "alice"},
		{"session with another nonce, Bearer", func(alice deskReply) string {
			token, _ := codec.Decode(alice.Refresh)
			token.Nonce = refreshtoken.NewNonce()
			return codec.Encode(token)
		}, bearerOf, "alice"},
		{"refresh token that was replaced", func(alice deskReply) string {
			d.rotated(alice.Refresh)
			d.clock.Advance(10 * time.Second)
			return alice.Refresh
		}, nil, "bob"},
		{"session that is over already, Bearer", func(alice deskReply) string {
			d.logout(alice.Refresh)
			return alice.Refresh
		}, bearerOf, "bob"},

		{"Bearer, expired", nil, func(bob deskReply) []string {
			now := d.clock.Now().Unix()
			return []string{"Bearer " + d.minted(map[string]any{"sub": "bob", "sid": sidOf(t, bob.Access), "iat": now - 4000, "exp": now - 1000})}
		}, "alice"},
		{"bearer in small letters", nil, func(bob deskReply) []string { return []string{"bearer   " + bob.Access} }, "alice"},
		{"Bearer, forged", nil, func(bob deskReply) []string {
			return []string{"Bearer " + jwtgatetest.Sign(t, "HS256", stranger, `{"alg":"HS256"}`, fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"bob","sid":%q,"exp":%d}`, deskIssuer, deskAudience, sidOf(t, bob.Access), d.clock.Now().Unix()+600))}
		}, "alice bob"},
		{"Bearer, signature cut", nil, func(bob deskReply) []string { return []string{"Bearer " + bob.Access[:len(bob.Access)-1]} }, "alice bob"},
		{"Bearer, another audience", nil, func(bob deskReply) []string {
			return []string{"Bearer " + d.minted(map[string]any{"sub": "bob", "sid": sidOf(t, bob.Access), "aud": "x"})}
		}, "alice bob"},
		{"Bearer, a refresh token", nil, func(bob deskReply) []string { return []string{"Bearer " + bob.Refresh} }, "alice bob"},
		{"Bearer, a sid", nil, func(bob deskReply) []string { return []string{"Bearer " + sidOf(t, bob.Access)} }, "alice bob"},
		{"Bearer, nothing", nil, func(deskReply) []string { return []string{"Bearer"} }, "alice bob"},
		{"two headers", nil, func(bob deskReply) []string { return append(bearerOf(bob), bearerOf(bob)...) }, "alice bob"},
		{"two headers, body", refreshOf, func(bob deskReply) []string { return append(bearerOf(bob), bearerOf(bob)...) }, "bob"},
		{"another scheme", nil, func(bob deskReply) []string { return []string{"Token " + bob.Access} }, "alice bob"},
	} {
		alice, bob := d.token("alice"), d.token("bob")
		req := formOf()
		if row.body != nil {
			req = formOf("refresh_token", row.body(alice))
		}
		if row.head != nil {
			req = withField(req, "Authorization", row.head(bob)...)
		}
		if got := d.ask(d.Logout, req).text; got != "204" {
			t.Errorf("%s: got %s; want 204", row.name, got)
		}
		var in []string
		for _, tokens := range []deskReply{alice, bob} {
			who := d.who(tokens.Access)
			switch who {
			case "alice", "bob":
				in = append(in, who)
			case "401 token_expired", revoked:
			default:
				t.Errorf("%s: after it: %s", row.name, who)
			}
			if got := d.refresh(tokens.Refresh).text; got != refreshRevoked && who == revoked {
				t.Errorf("%s: refresh after it: got %s", row.name, got)
			}
		}
		if got := strings.Join(in, " "); got != row.want {
			t.Errorf("%s: still in: %s; want %s", row.name, got, row.want)
		}
	}
}

func refreshOf(tokens deskReply) string  { return tokens.Refresh }
func accessOf(tokens deskReply) string   { return tokens.Access }
func bearerOf(tokens deskReply) []string { return []string{"Bearer " + tokens.Access} }

func textOf(text string) func(deskReply) string { return func(deskReply) string { return text } }

// Logging out twice is as good as once, and told once.
func TestLogoutAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	d.book.told()
	for range 3 {
		if d.logout(tokens.Refresh).text != "204" || d.ask(d.Logout, bearing(tokens.Access, formOf())).text != "204" {
			t.Error("a logout is refused")
		}
	}
	if got, want := d.book.told(), "ended alice "+sidOf(t, tokens.Access); got != want {
		t.Errorf("told %q; want %q", got, want)
	}
}

// Nothing that is garbage makes the store work.
func TestLogoutGarbage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.token("alice")
	d.store.taken()
	for _, garbage := range []string{"", "x", "jgr1_", "jgr1_" + strings.Repeat("A", 99), "a.b.c", strings.Repeat("x", 60_000), "\x00", "null"} {
		for _, req := range []jwtgate.Request{formOf("refresh_token", garbage), jsonOf("refresh_token", garbage), bearing(garbage, formOf())} {
			if got := d.ask(d.Logout, req).text; got != "204" {
				t.Errorf("%.20q: got %s", garbage, got)
			}
		}
	}
	if calls := d.store.taken(); calls != "" {
		t.Errorf("the store was asked to %s", calls)
	}
}

// A Bearer token without a session is revoked by its jti: it alone, on every
// process, until it has expired.
func TestLogoutByTokenID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		other := d.another()
		synctest.Wait()
		one, two := jwtgatetest.Token(t, d.Auth, "alice"), jwtgatetest.Token(t, d.Auth, "alice")
		session := d.token("alice")
		if got := d.ask(d.Logout, bearing(one, formOf())).text; got != "204" {
			t.Fatalf("got %s", got)
		}
		for _, at := range []*desk{d, other, d.another()} {
			synctest.Wait()
			if got := at.who(one); got != revoked {
				t.Errorf("the token: got %s", got)
			}
			if at.who(two) != "alice" || at.who(session.Access) != "alice" {
				t.Error("other tokens of the subject are revoked, too")
			}
		}
		// One minted elsewhere with the same jti is the same token.
		_, claims := claimsOf(t, one)
		if got := d.who(d.minted(map[string]any{"jti": claims["jti"]})); got != revoked {
			t.Errorf("another spelling of the token: got %s", got)
		}
		// One without jti has no name to be revoked by.
		nameless := d.minted(map[string]any{"jti": nil})
		if got := d.ask(d.Logout, bearing(nameless, formOf())).text; got != "204" {
			t.Errorf("without jti: got %s", got)
		}
		if got := d.who(nameless); got != "alice" {
			t.Errorf("without jti: then got %s", got)
		}
	})
}

// A revocation costs memory on every process, so one token makes one.
func TestLogoutByTokenIDAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := jwtgatetest.Token(t, d.Auth, "alice")
	d.store.taken()
	for range 3 {
		d.ask(d.Logout, bearing(token, formOf()))
	}
	if got := d.store.taken(); got != "Revoke" {
		t.Errorf("the store was asked to %s; want Revoke, once", got)
	}
}

// Other issuers' tokens can be handed back like others without a session of ours,
// and never touch one.
func TestLogoutTrusted(t *testing.T) {
	t.Parallel()
	secret := []byte("signs the tokens of a partner, whom we trust some way")
	partner := keys.HS256(secret)
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	theirs := func(jti, sid string) string {
		now := d.clock.Now().Unix()
		return jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"`+partner.ID()+`"}`,
			fmt.Sprintf(`{"iss":"https://partner.example","aud":%q,"sub":"alice","jti":%q,"sid":%q,"iat":%d,"exp":%d}`, deskAudience, jti, sid, now, now+600))
	}
	// Their alice is not ours.
	if err := d.EndSessions(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := d.who(theirs("0", "")); got != "alice" {
		t.Errorf("partner's token after our alice's sessions have ended: got %s", got)
	}
	d.clock.Advance(time.Second)
	alice := d.token("alice")
	foreign := theirs("1", sidOf(t, alice.Access))
	if got := d.who(foreign); got != "alice" {
		t.Fatalf("partner's token: got %s", got)
	}
	for _, row := range []struct {
		endpoint string
		serve    jwtgate.Endpoint
		method   string
		want     string
	}{
		{"/logout/all", d.LogoutAll, "POST", "403 insufficient_scope"},
		{"/sessions", d.ListSessions, "GET", "403 insufficient_scope"},
		{"/sessions/{id}", d.DeleteSession, "DELETE", "403 insufficient_scope"},
		{"/logout", d.Logout, "POST", "204"},
		{"/sessions", d.ListSessions, "GET", revoked},
	} {
		req := bearing(foreign, jwtgate.Request{Method: row.method, Path: "/sessions/" + sidOf(t, alice.Access)})
		if got := d.ask(row.serve, req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.endpoint, got, row.want)
		}
	}
	if got := d.who(alice.Access); got != "alice" {
		t.Errorf("our session after all: got %s", got)
	}
	if got := d.refresh(alice.Refresh).text; got != "200" {
		t.Errorf("our session after all: got %s", got)
	}
	// A jti is its issuer's: ours of the same name is another token.
	if got := d.who(d.minted(map[string]any{"jti": "1"})); got != "alice" {
		t.Errorf("our token with the same jti: got %s", got)
	}
}

// Trouble with the store is said, and the next try ends the session.
func TestLogoutTrouble(t *testing.T) {
	t.Parallel()
	body := func(_ *desk, tokens deskReply) jwtgate.Request { return formOf("refresh_token", tokens.Refresh) }
	head := func(_ *desk, tokens deskReply) jwtgate.Request { return bearing(tokens.Access, formOf()) }
	jti := func(d *desk, _ deskReply) jwtgate.Request {
		return bearing(jwtgatetest.Token(d.tb, d.Auth, "alice"), formOf())
	}
	for _, row := range []struct {
		name  string
		all   bool
		req   func(*desk, deskReply) jwtgate.Request
		call  string
		after bool
	}{
		{"body", false, body, "Find", false},
		{"body", false, body, "End", false},
		{"body", false, body, "End", true},
		{"Bearer", false, head, "End", false},
		{"Bearer", false, head, "End", true},
		{"Bearer without sid", false, jti, "Revoke", false},
		{"Bearer without sid", false, jti, "Revoke", true},
		{"everywhere", true, head, "EndAll", false},
		{"everywhere, without sid", true, jti, "EndAll", false},
		{"everywhere, without sid", true, jti, "Revoke", false},
	} {
		d := newDesk(t)
		endpoint := jwtgate.Endpoint(d.Logout)
		if row.all {
			endpoint = d.LogoutAll
		}
		tokens := d.token("alice")
		req := row.req(d, tokens)
		d.book.told()
		d.store.breaks(row.call, row.after)
		if got := d.ask(endpoint, req).text; got != "503 unavailable" {
			t.Errorf("%s, %s fails: got %s", row.name, row.call, got)
		}
		if told := d.book.told(); !strings.Contains(told, "store_down") || strings.Count(told, errDesk.Error()) != 1 {
			t.Errorf("%s, %s fails: told %q", row.name, row.call, told)
		}
		d.store.mend()
		again := withField(row.req(d, tokens), "Authorization", req.Header.Values("Authorization")...)
		if got := d.ask(endpoint, again).text; got != "204" && !(row.all && got == revoked) {
			t.Errorf("%s, %s works again: got %s", row.name, row.call, got)
		}
		if token := strings.TrimPrefix(req.First("Authorization"), "Bearer "); token != "" && d.who(token) != revoked {
			t.Errorf("%s, %s works again: the token is good", row.name, row.call)
		}
		if row.call != "Revoke" && d.live("alice") != 0 {
			t.Errorf("%s, %s works again: the session is live", row.name, row.call)
		}
	}
}

// Everywhere is every session of the subject, on every process, and of no other.
func TestLogoutAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		other := d.another()
		synctest.Wait()
		first, second, bob := d.token("alice"), d.token("alice"), d.token("bob")
		loose := jwtgatetest.Token(t, d.Auth, "alice")
		bobs := jwtgatetest.Token(t, d.Auth, "bob")
		d.book.told()
		if got := d.ask(d.LogoutAll, bearing(first.Access, formOf())).text; got != "204" {
			t.Fatalf("got %s", got)
		}
		if got, want := d.book.told(), "ended_all alice"; got != want {
			t.Errorf("told %q; want %q", got, want)
		}
		again := d.token("alice") // in the same millisecond
		for _, at := range []*desk{d, other, d.another()} {
			synctest.Wait()
			for name, access := range map[string]string{"first": first.Access, "second": second.Access, "without a session": loose} {
				if got := at.who(access); got != revoked {
					t.Errorf("%s access token: got %s", name, got)
				}
			}
			for name, refresh := range map[string]string{"first": first.Refresh, "second": second.Refresh} {
				if got := at.refresh(refresh).text; got != refreshRevoked {
					t.Errorf("%s refresh token: got %s", name, got)
				}
			}
			if at.who(bob.Access) != "bob" || at.who(bobs) != "bob" {
				t.Error("someone else is signed out, too")
			}
			if got := at.who(again.Access); got != "alice" {
				t.Errorf("the login right after it: got %s", got)
			}
		}
		if got := d.refresh(again.Refresh).text; got != "200" {
			t.Errorf("refresh of the login right after it: got %s", got)
		}
		d.clock.Advance(time.Second)
		if got := d.who(jwtgatetest.Token(t, d.Auth, "alice")); got != "alice" {
			t.Errorf("a token without a session, a second later: got %s", got)
		}
		if got := d.ask(d.LogoutAll, bearing(first.Access, formOf())).text; got != revoked {
			t.Errorf("again with a token that is revoked: got %s", got)
		}
		if got := d.who(again.Access); got != "alice" {
			t.Errorf("the login after that: got %s", got)
		}
	})
}

func TestLogoutAllRefusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	alice := d.token("alice")
	ended := d.token("alice")
	d.logout(ended.Refresh)
	now := d.clock.Now().Unix()
	for _, row := range []struct {
		name string
		req  jwtgate.Request
		want string
	}{
		{"nobody", formOf(), "401 token_missing"},
		{"refresh token in the body", formOf("refresh_token", alice.Refresh), "401 token_missing"},
		{"refresh token as Bearer", bearing(alice.Refresh, formOf()), "401 token_invalid"},
		{"expired", bearing(d.minted(map[string]any{"iat": now - 900, "exp": now}), formOf()), "401 token_expired"},
		{"forged", bearing(alice.Access[:len(alice.Access)-4]+"AAAA", formOf()), "401 token_invalid"},
		{"session that is over", bearing(ended.Access, formOf()), revoked},
		{"two headers", jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Bearer " + alice.Access, "Bearer " + alice.Access}}}, "400 malformed_credentials"},
		{"another scheme", jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Basic " + alice.Access}}}, "401 token_missing"},
	} {
		if got := d.ask(d.LogoutAll, row.req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	if got := d.who(alice.Access); got != "alice" {
		t.Errorf("after all: got %s", got)
	}
}

// The token that asks for it is over in any case, even one of a session that the
// store has lost.
func TestLogoutOfSessionThatStoreLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, endpoint := range map[string]jwtgate.Endpoint{"/logout": d.Logout, "/logout/all": d.LogoutAll} {
		token := d.minted(map[string]any{"sid": session.NewID("alice").String()})
		if got := d.ask(endpoint, bearing(token, formOf())).text; got != "204" {
			t.Errorf("%s: got %s", name, got)
		}
		if got := d.who(token); got != revoked {
			t.Errorf("%s: then got %s", name, got)
		}
	}
}

// An operator ends sessions by the subject's name or by their ids.
func TestEndSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second, third, bob := d.token("alice"), d.token("alice"), d.token("alice"), d.token("bob")
	loose := jwtgatetest.Token(t, d.Auth, "alice")
	in := func() string {
		var who []string
		for name, access := range map[string]string{"1": first.Access, "2": second.Access, "3": third.Access, "bob": bob.Access, "loose": loose} {
			if d.who(access) != revoked {
				who = append(who, name)
			}
		}
		return sorted(who)
	}
	d.book.told()
	for _, row := range []struct {
		name string
		end  func() error
		want string
		told string
	}{
		{"one", func() error { return d.EndSession(t.Context(), sidOf(t, third.Access)) }, "1 2 bob loose", "ended " + sidOf(t, third.Access)},
		{"one again", func() error { return d.EndSession(t.Context(), sidOf(t, third.Access)) }, "1 2 bob loose", ""},
		{"one that never was", func() error { return d.EndSession(t.Context(), session.NewID("alice").String()) }, "1 2 bob loose", ""},
		{"no id", func() error { return d.EndSession(t.Context(), "alice") }, "1 2 bob loose", ""},
		{"all but one", func() error { return d.EndSessions(t.Context(), "alice", sidOf(t, first.Access)) }, "1 bob loose", "ended_all alice"},
		{"nobody's", func() error { return d.EndSessions(t.Context(), "nobody") }, "1 bob loose", "ended_all nobody"},
		{"all", func() error { return d.EndSessions(t.Context(), "alice") }, "bob", "ended_all alice"},
	} {
		if err := row.end(); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if got := in(); got != row.want {
			t.Errorf("%s: still in: %s; want %s", row.name, got, row.want)
		}
		if got := d.book.told(); got != row.told {
			t.Errorf("%s: told %q; want %q", row.name, got, row.told)
		}
	}
	for call, end := range map[string]func() error{
		"End":    func() error { return d.EndSession(t.Context(), sidOf(t, bob.Access)) },
		"EndAll": func() error { return d.EndSessions(t.Context(), "bob") },
	} {
		d.store.breaks(call, false)
		if err := end(); !errors.Is(err, errDesk) {
			t.Errorf("%s fails: %v", call, err)
		}
		d.store.mend()
	}
	if got := in(); got != "bob" {
		t.Errorf("after trouble: still in: %s", got)
	}
}

// What is to be spared and cannot be is said, and nothing ends by mistake.
func TestEndSessionsSparesWhatItCan(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	alice, bob := d.token("alice"), d.token("bob")
	// Someone else's session is no exception to anything.
	if err := d.EndSessions(t.Context(), "alice", sidOf(t, bob.Access)); err != nil {
		t.Fatal(err)
	}
	if d.who(alice.Access) != revoked || d.who(bob.Access) != "bob" {
		t.Errorf("alice is %s, bob is %s", d.who(alice.Access), d.who(bob.Access))
	}
}

// Who ends all sessions of a subject ends its tokens without one, too, on every
// process, whichever clock stamped them.
func TestEndSessionsByClocksThatDiffer(t *testing.T) {
	t.Parallel()
	lenient := func(c *jwtgate.Config) { c.Leeway = 5 * time.Second }
	for _, row := range []struct {
		name string
		off  time.Duration // of the process that ends them
	}{
		{"as the store's", 0},
		{"ahead of the store's", 3 * time.Second},
		{"behind the store's", -3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, lenient)
			off := d.another(lenient, func(c *jwtgate.Config) {
				c.Now = func() time.Time { return d.clock.Now().Add(row.off) }
			})
			tokens := map[string]string{"that process": jwtgatetest.Token(t, off.Auth, "alice"), "this one": jwtgatetest.Token(t, d.Auth, "alice")}
			if err := off.EndSessions(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			for of, token := range tokens {
				if got := d.who(token); got != revoked {
					t.Errorf("a clock %s: the token of %s is still %s's; want %s", row.name, of, got, revoked)
				}
			}
			d.clock.Advance(4 * time.Second)
			if got := d.who(jwtgatetest.Token(t, d.Auth, "alice")); got != "alice" {
				t.Errorf("a clock %s: got %s for a token made later", row.name, got)
			}
		})
	}
}

// Each use of the store that ends something is given up after Timeout.
func TestEndTimeout(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		call string
		end  func(d *desk, tokens deskReply) string
		want string
	}{
		"/logout":       {"End", func(d *desk, tokens deskReply) string { return d.logout(tokens.Refresh).text }, "503 unavailable"},
		"/logout, Find": {"Find", func(d *desk, tokens deskReply) string { return d.logout(tokens.Refresh).text }, "503 unavailable"},
		"/logout/all": {"EndAll", func(d *desk, tokens deskReply) string {
			return d.ask(d.LogoutAll, bearing(tokens.Access, formOf())).text
		}, "503 unavailable"},
		"/sessions": {"List", func(d *desk, tokens deskReply) string {
			return d.ask(d.ListSessions, bearing(tokens.Access, jwtgate.Request{Method: "GET"})).text
		}, "503 unavailable"},
		"/sessions/{id}": {"End", func(d *desk, tokens deskReply) string {
			return d.ask(d.DeleteSession, bearing(tokens.Access, jwtgate.Request{Method: "DELETE", Path: "/" + sidOf(d.tb, tokens.Access)})).text
		}, "503 unavailable"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			tokens := d.token("alice")
			d.store.hangs(row.call)
			begun := time.Now()
			if got := row.end(d, tokens); got != row.want || time.Since(begun) != 5*time.Second {
				t.Errorf("%s: got %s after %v; want 503 after 5s", name, got, time.Since(begun))
			}
		})
	}
}

// So is each that an operator asks for.
func TestEndSessionsTimeout(t *testing.T) {
	t.Parallel()
	for call, end := range map[string]func(d *desk, sid string) error{
		"End":    func(d *desk, sid string) error { return d.EndSession(d.tb.Context(), sid) },
		"EndAll": func(d *desk, _ string) error { return d.EndSessions(d.tb.Context(), "alice") },
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			tokens := d.token("alice")
			d.store.hangs(call)
			begun := time.Now()
			if err := end(d, sidOf(t, tokens.Access)); err == nil || time.Since(begun) != 5*time.Second {
				t.Errorf("%s hangs: %v after %v; want an error after 5s", call, err, time.Since(begun))
			}
		})
	}
}
