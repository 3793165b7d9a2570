package jwtgate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

func (d *desk) list(access string) deskReply {
	d.tb.Helper()
	return d.ask(d.ListSessions, bearing(access, jwtgate.Request{Method: http.MethodGet, Path: "/sessions"}))
}

func (d *desk) remove(access, path string) deskReply {
	d.tb.Helper()
	return d.ask(d.DeleteSession, bearing(access, jwtgate.Request{Method: http.MethodDelete, Path: path}))
}

// What a list says is what its readers were promised, member by member.
func TestListSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Sessions.RefreshTTL, c.Sessions.SessionTTL = 7*24*time.Hour, 10*24*time.Hour
	})
	login := func(subject, userAgent string) deskReply {
		req := withField(formOf("username", subject, "password", "wonderland"), "User-Agent", userAgent)
		return d.ask(d.Auth.Token(deskUsers), req)
	}
	first := login("alice", "looking glass")
	login("bob", "ladder")
	d.clock.Advance(5 * 24 * time.Hour)
	second := login("alice", "")
	next := d.rotated(first.Refresh) // lives for 7 days from now, but for 5 at most
	d.logout(login("alice", "gone").Refresh)
	d.clock.Advance(1500 * time.Millisecond)

	row := func(tokens deskReply, created, used, expires time.Time, userAgent string, current bool) string {
		text, _ := json.Marshal(userAgent)
		stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
		return fmt.Sprintf(`{"id":%q,"created":%q,"last_used":%q,"expires":%q,"user_agent":%s,"current":%v}`, sidOf(t, tokens.Access), stamp(created), stamp(used), stamp(expires), text, current)
	}
	later := deskOpens.Add(5 * 24 * time.Hour)
	list := func(one, two bool) string {
		return "[" + row(first, deskOpens, later, deskOpens.Add(10*24*time.Hour), "looking glass", one) + "," +
			row(second, later, later, later.Add(7*24*time.Hour), "", two) + "]\n"
	}
	for name, asked := range map[string]struct{ access, want string }{
		"first":             {next.Access, list(true, false)},
		"second":            {second.Access, list(false, true)},
		"without a session": {jwtgatetest.Token(t, d.Auth, "alice"), list(false, false)},
		"nobody's sessions": {jwtgatetest.Token(t, d.Auth, "nobody"), "[]\n"},
	} {
		if res := d.list(asked.access); res.text != "200" || string(res.Body) != asked.want {
			t.Errorf("%s: got %s %s; want %s", name, res.text, res.Body, asked.want)
		}
	}
	if got := d.ask(d.ListSessions, bearing(second.Access, jwtgate.Request{Method: http.MethodHead})).text; got != "200" {
		t.Errorf("HEAD: got %s", got)
	}
	d.clock.Advance(5 * 24 * time.Hour) // the first is over
	infos, err := d.Sessions(t.Context(), "alice")
	if err != nil || len(infos) != 1 || infos[0].ID != sidOf(t, second.Access) || infos[0].Current {
		t.Errorf("after the first is over: %+v, %v", infos, err)
	}
	if infos, err := d.Sessions(t.Context(), "nobody"); err != nil || infos == nil || len(infos) != 0 {
		t.Errorf("nobody's sessions are %#v, %v", infos, err)
	}
}

// Who is not signed in learns nothing and ends nothing.
func TestSessionsRefusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	alice, ended := d.token("alice"), d.token("alice")
	d.logout(ended.Refresh)
	now := d.clock.Now().Unix()
	d.store.taken()
	for _, row := range []struct {
		name          string
		authorization []string
		want          string
	}{
		{"nobody", nil, "401 token_missing"},
		{"another scheme", []string{"Basic eDp5"}, "401 token_missing"},
		{"refresh token", []string{"Bearer " + alice.Refresh}, "401 token_invalid"},
		{"forged", []string{"Bearer " + alice.Access[:len(alice.Access)-4] + "AAAA"}, "401 token_invalid"},
		{"expired", []string{"Bearer " + d.minted(map[string]any{"iat": now - 900, "exp": now})}, "401 token_expired"},
		{"session that is over", []string{"Bearer " + ended.Access}, revoked},
		{"two headers", []string{"Bearer " + alice.Access, "Bearer " + alice.Access}, "400 malformed_credentials"},
		{"no token", []string{"Bearer "}, "400 malformed_credentials"},
	} {
		for method, serve := range map[string]jwtgate.Endpoint{"GET": d.ListSessions, "DELETE": d.DeleteSession} {
			req := jwtgate.Request{Method: method, Path: "/sessions/" + sidOf(t, alice.Access), Header: http.Header{"Authorization": row.authorization}}
			if got := d.ask(serve, req).text; got != row.want {
				t.Errorf("%s, %s: got %s; want %s", row.name, method, got, row.want)
			}
		}
	}
	if calls := d.store.taken(); calls != "" {
		t.Errorf("the store was asked to %s", calls)
	}
	for call, asked := range map[string]func() deskReply{
		"List": func() deskReply { return d.list(alice.Access) },
		"Find": func() deskReply { return d.remove(alice.Access, "/"+sidOf(t, alice.Access)) },
		"End":  func() deskReply { return d.remove(alice.Access, "/"+sidOf(t, alice.Access)) },
	} {
		d.store.breaks(call, false)
		d.book.told()
		if got := asked().text; got != "503 unavailable" {
			t.Errorf("%s fails: got %s", call, got)
		}
		if told := d.book.told(); strings.Count(told, "store_down") != 1 {
			t.Errorf("%s fails: told %q", call, told)
		}
		d.store.mend()
	}
	if got := d.who(alice.Access); got != "alice" {
		t.Errorf("after all: got %s", got)
	}
	d.store.breaks("List", false)
	if _, err := d.Sessions(t.Context(), "alice"); !errors.Is(err, errDesk) {
		t.Errorf("List fails: Sessions returns %v", err)
	}
}

// The last segment of the path is a session's id to the letter, and one of the
// subject's own, or there is no such session. What is refused is refused in the
// same words, so that ids cannot be tried out.
func TestDeleteSession(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	caller, bob, ended := d.token("alice"), d.token("bob"), d.token("alice")
	d.logout(ended.Refresh)
	id := func() string { return sidOf(t, d.token("alice").Access) }
	bobs := sidOf(t, bob.Access)
	first := d.remove(caller.Access, "/sessions/"+session.NewID("alice").String())
	for name, path := range map[string]string{
		"someone else's":             "/sessions/" + bobs,
		"of the same slot":           "/sessions/" + session.NewID("alice").String(),
		"one that is over":           "/sessions/" + sidOf(t, ended.Access),
		"nothing":                    "",
		"slash":                      "/",
		"the list":                   "/sessions",
		"no id":                      "/sessions/",
		"slash after it":             "/sessions/" + id() + "/",
		"two slashes after it":       "/sessions/" + id() + "//",
		"query in the path":          "/sessions/" + id() + "?x",
		"fragment":                   "/sessions/" + id() + "#x",
		"matrix parameter":           "/sessions/" + id() + ";x",
		"extension":                  "/sessions/" + id() + ".json",
		"escaped slash":              "/sessions%2f" + id(),
		"backslash":                  "/sessions\\" + id(),
		"space":                      "/sessions/ " + id(),
		"space after it":             "/sessions/" + id() + " ",
		"NUL after it":               "/sessions/" + id() + "\x00",
		"line end after it":          "/sessions/" + id() + "\n",
		"line end in place of one":   "/sessions/" + id()[:23] + "\n",
		"padding":                    "/sessions/" + id() + "=",
		"cut":                        "/sessions/" + id()[:23],
		"longer":                     "/sessions/" + id() + "A",
		"two ids":                    "/sessions/" + id() + "," + id(),
		"up":                         "/sessions/" + id() + "/..",
		"here":                       "/sessions/" + id() + "/.",
		"someone else's, by the way": "/sessions/" + id() + "/../" + bobs,
		"all":                        "/sessions/*",
		"all of SQL":                 "/sessions/' OR 1=1 --",
		"a subject":                  "/sessions/alice",
		"long":                       "/sessions/" + strings.Repeat("A", 1<<20),
		"not UTF-8":                  "/sessions/" + strings.Repeat("\xff", 24),
		"wide":                       "/sessions/" + strings.Repeat("Ａ", 24),
		"refresh token":              "/sessions/" + bob.Refresh,
	} {
		before := d.live("alice") + d.live("bob")
		res := d.remove(caller.Access, path)
		if res.text != "404 not_found" || fmt.Sprintf("%+v", res.Response) != fmt.Sprintf("%+v", first.Response) {
			t.Errorf("%s: got %s; want 404 not_found in the words of others", name, res.text)
		}
		if after := d.live("alice") + d.live("bob"); after != before {
			t.Errorf("%s: %d sessions are over", name, before-after)
		}
	}
	d.book.told()
	for _, prefix := range []string{"/sessions/", "/", "", "//", "/api/v1/sessions/", "/sessions/" + bobs + "/", "/sessions/../"} {
		other := d.token("alice")
		sid := sidOf(t, other.Access)
		d.book.told()
		if got := d.remove(caller.Access, prefix+sid).text; got != "204" {
			t.Errorf("%s{id}: got %s", prefix, got)
		}
		if got := d.who(other.Access); got != revoked {
			t.Errorf("%s{id}: then got %s", prefix, got)
		}
		if got := d.refresh(other.Refresh).text; got != refreshRevoked {
			t.Errorf("%s{id}: refresh: got %s", prefix, got)
		}
		if got, want := d.book.told(), "ended alice "+sid; got != want {
			t.Errorf("%s{id}: told %q; want %q", prefix, got, want)
		}
		if got := d.remove(caller.Access, prefix+sid).text; got != "404 not_found" {
			t.Errorf("%s{id}, again: got %s", prefix, got)
		}
	}
	if got := d.remove(caller.Access, "/sessions/"+sidOf(t, caller.Access)).text; got != "204" {
		t.Errorf("one's own: got %s", got)
	}
	if got := d.who(caller.Access); got != revoked {
		t.Errorf("one's own: then got %s", got)
	}
	if got := d.who(bob.Access); got != "bob" {
		t.Errorf("someone else: got %s", got)
	}
}

// Knowing the id of someone's session, which every log has, is of no use.
func TestSessionIDIsNoSecret(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	victim, mallory := d.token("alice"), d.token("mallory")
	sid := sidOf(t, victim.Access)
	own := sidOf(t, mallory.Access)
	attempts := map[string]func() deskReply{
		"delete":                   func() deskReply { return d.remove(mallory.Access, "/sessions/"+sid) },
		"delete without a session": func() deskReply { return d.remove(jwtgatetest.Token(t, d.Auth, "mallory"), "/sessions/"+sid) },
		"refresh":                  func() deskReply { return d.refresh(sid) },
		"refresh, prefixed":        func() deskReply { return d.refresh("jgr1_" + sid) },
		"refresh with more": func() deskReply {
			return d.ask(d.Refresh, jsonOf("refresh_token", mallory.Refresh, "sid", sid, "session_id", sid))
		},
		"logout":         func() deskReply { return d.ask(d.Logout, jsonOf("refresh_token", sid, "sid", sid, "id", sid)) },
		"logout, Bearer": func() deskReply { return d.ask(d.Logout, bearing(sid, formOf())) },
		"refresh with a wrong pair": func() deskReply {
			return d.ask(d.Refresh, bearing(victim.Access, formOf("refresh_token", mallory.Refresh)))
		},
		"logout by path": func() deskReply { req := formOf(); req.Path = "/logout/" + sid; return d.ask(d.Logout, req) },
	}
	for name, attempt := range attempts {
		attempt()
		if got := d.who(victim.Access); got != "alice" {
			t.Errorf("%s: the victim is %s", name, got)
		}
	}
	if d.refresh(victim.Refresh).text != "200" || d.live("alice") != 1 {
		t.Error("after all, the victim's session is over")
	}
	// Nor is the other way round: what mallory has of alice's stays hers.
	if got := d.remove(victim.Access, "/sessions/"+own).text; got != "404 not_found" {
		t.Errorf("mallory's session: got %s", got)
	}
}

// The endpoints stand behind Protect as well as alone, and judge once.
func TestSessionsBehindProtect(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens := d.token("alice")
	decision := d.Decide(t.Context(), bearing(tokens.Access, jwtgate.Request{Method: http.MethodGet}))
	if decision.Refusal != nil {
		t.Fatal(decision.Refusal)
	}
	if res := d.read(d.ListSessions(decision.Context, jwtgate.Request{Method: http.MethodGet})); res.text != "200" || !strings.Contains(string(res.Body), `"current":true`) {
		t.Errorf("list: got %s %s", res.text, res.Body)
	}
	if got := d.read(d.DeleteSession(decision.Context, jwtgate.Request{Method: http.MethodDelete, Path: sidOf(t, tokens.Access)})).text; got != "204" {
		t.Errorf("delete: got %s", got)
	}
	// Another Auth's word does not count.
	other := d.another()
	again := d.token("alice")
	decision = other.Decide(t.Context(), bearing(again.Access, jwtgate.Request{Method: http.MethodGet}))
	if got := d.read(d.LogoutAll(decision.Context, jwtgate.Request{Method: http.MethodPost})).text; got != "401 token_missing" {
		t.Errorf("logout from everywhere: got %s", got)
	}
	decision = d.Decide(t.Context(), bearing(again.Access, jwtgate.Request{Method: http.MethodGet}))
	if got := d.read(d.LogoutAll(decision.Context, jwtgate.Request{Method: http.MethodPost})).text; got != "204" {
		t.Errorf("logout from everywhere: got %s", got)
	}
}
