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

// TestListSessions checks the list of sessions, member by member.
func TestListSessions(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.RefreshTTL, c.Sessions.SessionTTL = 7*24*time.Hour, 10*24*time.Hour
	})
	login := func(subject, userAgent string) reply {
		req := withField(formRequest("username", subject, "password", "wonderland"), "User-Agent", userAgent)
		return s.send(s.tokenEndpoint(), req)
	}
	first := login("alice", "looking glass")
	login("bob", "ladder")
	s.clock.Advance(5 * 24 * time.Hour)
	second := login("alice", "")
	next := s.mustRefresh(first.Refresh) // extended by 7 days, but SessionTTL leaves 5
	s.logout(login("alice", "gone").Refresh)
	s.clock.Advance(1500 * time.Millisecond)

	row := func(tokens reply, created, used, expires time.Time, userAgent string, current bool) string {
		text, _ := json.Marshal(userAgent)
		stamp := func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
		return fmt.Sprintf(`{"id":%q,"created":%q,"last_used":%q,"expires":%q,"user_agent":%s,"current":%v}`, sidOf(t, tokens.Access), stamp(created), stamp(used), stamp(expires), text, current)
	}
	later := serverStart.Add(5 * 24 * time.Hour)
	list := func(one, two bool) string {
		return "[" + row(first, serverStart, later, serverStart.Add(10*24*time.Hour), "looking glass", one) + "," +
			row(second, later, later, later.Add(7*24*time.Hour), "", two) + "]\n"
	}
	for name, asked := range map[string]struct{ access, want string }{
		"first":             {next.Access, list(true, false)},
		"second":            {second.Access, list(false, true)},
		"without a session": {jwtgatetest.Token(t, s.Auth, "alice"), list(false, false)},
		"nobody's sessions": {jwtgatetest.Token(t, s.Auth, "nobody"), "[]\n"},
	} {
		if res := s.listSessions(asked.access); res.text != "200" || string(res.Body) != asked.want {
			t.Errorf("%s: got %s %s; want %s", name, res.text, res.Body, asked.want)
		}
	}
	if got := s.send(s.ListSessions, withToken(jwtgate.Request{Method: http.MethodHead}, second.Access)).text; got != "200" {
		t.Errorf("HEAD: got %s", got)
	}
	s.clock.Advance(5 * 24 * time.Hour) // the first one ends
	infos, _, err := s.Sessions(t.Context(), "alice", "")
	if err != nil || len(infos) != 1 || infos[0].ID != sidOf(t, second.Access) || infos[0].Current {
		t.Errorf("after the first is over: %+v, %v", infos, err)
	}
	if infos, _, err := s.Sessions(t.Context(), "nobody", ""); err != nil || infos == nil || len(infos) != 0 {
		t.Errorf("nobody's sessions are %#v, %v", infos, err)
	}
}

// TestSessionsRefusals checks requests without a valid access token, and store errors.
func TestSessionsRefusals(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	alice, ended := s.login("alice"), s.login("alice")
	s.logout(ended.Refresh)
	s.store.taken()
	for _, row := range []struct {
		name          string
		authorization []string
		want          string
	}{
		{"nobody", nil, "401 token_missing"},
		{"another scheme", []string{"Basic eDp5"}, "401 token_missing"},
		{"refresh token", []string{"Bearer " + alice.Refresh}, "401 token_invalid"},
		{"forged", []string{"Bearer " + alice.Access[:len(alice.Access)-4] + "AAAA"}, "401 token_invalid"},
		{"expired", []string{"Bearer " + s.mint("", 15*time.Minute, nil)}, "401 token_expired"},
		{"session that is over", []string{"Bearer " + ended.Access}, revoked},
		{"two headers", []string{"Bearer " + alice.Access, "Bearer " + alice.Access}, "400 malformed_credentials"},
		{"no token", []string{"Bearer "}, "400 malformed_credentials"},
	} {
		for method, serve := range map[string]jwtgate.Endpoint{"GET": s.ListSessions, "DELETE": s.DeleteSession} {
			req := jwtgate.Request{Method: method, Path: "/sessions/" + sidOf(t, alice.Access), Header: http.Header{"Authorization": row.authorization}}
			if got := s.send(serve, req).text; got != row.want {
				t.Errorf("%s, %s: got %s; want %s", row.name, method, got, row.want)
			}
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("got store calls %s; want none", calls)
	}
	for call, asked := range map[string]func() reply{
		"List": func() reply { return s.listSessions(alice.Access) },
		"Find": func() reply { return s.deleteSession(alice.Access, "/"+sidOf(t, alice.Access)) },
		"End":  func() reply { return s.deleteSession(alice.Access, "/"+sidOf(t, alice.Access)) },
	} {
		s.store.breaks(call, false)
		s.events()
		if got := asked().text; got != "503 unavailable" {
			t.Errorf("%s fails: got %s", call, got)
		}
		if events := s.events(); strings.Count(events, "store_down") != 1 {
			t.Errorf("%s fails: got events %q", call, events)
		}
		s.store.mend()
	}
	if got := s.authenticate(alice.Access); got != "alice" {
		t.Errorf("afterwards: got %s", got)
	}
	s.store.breaks("Find", false)
	if got := s.deleteSession(alice.Access, "/x").text; got != "404 not_found" {
		t.Errorf("Find fails, a path without an ID: got %s", got)
	}
	s.store.mend()
	s.store.breaks("List", false)
	if _, _, err := s.Sessions(t.Context(), "alice", ""); !errors.Is(err, errBroken) {
		t.Errorf("List fails: Sessions returns %v", err)
	}
}

// TestDeleteSession checks that a session is deleted only if the last segment of the path is
// exactly its ID and it is one of the subject's own. All other requests get the same answer,
// so that IDs cannot be guessed.
func TestDeleteSession(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	caller, bob, ended := s.login("alice"), s.login("bob"), s.login("alice")
	s.logout(ended.Refresh)
	id := func() string { return sidOf(t, s.login("alice").Access) }
	bobs := sidOf(t, bob.Access)
	first := s.deleteSession(caller.Access, "/sessions/"+session.NewID(ownerOf("alice")).String())
	for name, path := range map[string]string{
		"someone else's":             "/sessions/" + bobs,
		"of the same slot":           "/sessions/" + session.NewID(ownerOf("alice")).String(),
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
		before := s.liveSessions("alice") + s.liveSessions("bob")
		res := s.deleteSession(caller.Access, path)
		if res.text != "404 not_found" || fmt.Sprintf("%+v", res.Response) != fmt.Sprintf("%+v", first.Response) {
			t.Errorf("%s: got %s; want 404 not_found with the same body as the others", name, res.text)
		}
		if after := s.liveSessions("alice") + s.liveSessions("bob"); after != before {
			t.Errorf("%s: %d sessions were ended", name, before-after)
		}
	}
	s.events()
	for _, prefix := range []string{"/sessions/", "/", "", "//", "/api/v1/sessions/", "/sessions/" + bobs + "/", "/sessions/../"} {
		other := s.login("alice")
		sid := sidOf(t, other.Access)
		s.events()
		if got := s.deleteSession(caller.Access, prefix+sid).text; got != "204" {
			t.Errorf("%s{id}: got %s", prefix, got)
		}
		if got := s.authenticate(other.Access); got != revoked {
			t.Errorf("%s{id}: afterwards got %s", prefix, got)
		}
		if got := s.refresh(other.Refresh).text; got != refreshRevoked {
			t.Errorf("%s{id}: refresh: got %s", prefix, got)
		}
		if got, want := s.events(), "ended alice "+sid; got != want {
			t.Errorf("%s{id}: got events %q; want %q", prefix, got, want)
		}
		if got := s.deleteSession(caller.Access, prefix+sid).text; got != "404 not_found" {
			t.Errorf("%s{id}, again: got %s", prefix, got)
		}
	}
	if got := s.deleteSession(caller.Access, "/sessions/"+sidOf(t, caller.Access)).text; got != "204" {
		t.Errorf("one's own: got %s", got)
	}
	if got := s.authenticate(caller.Access); got != revoked {
		t.Errorf("one's own: afterwards got %s", got)
	}
	if got := s.authenticate(bob.Access); got != "bob" {
		t.Errorf("another subject: got %s", got)
	}
}

// TestSessionIDIsNoSecret checks that knowing the ID of a session, which is in many logs,
// gives no access to it.
func TestSessionIDIsNoSecret(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	victim, mallory := s.login("alice"), s.login("mallory")
	sid := sidOf(t, victim.Access)
	own := sidOf(t, mallory.Access)
	attempts := map[string]func() reply{
		"delete":                   func() reply { return s.deleteSession(mallory.Access, "/sessions/"+sid) },
		"delete without a session": func() reply { return s.deleteSession(jwtgatetest.Token(t, s.Auth, "mallory"), "/sessions/"+sid) },
		"refresh":                  func() reply { return s.refresh(sid) },
		"refresh, prefixed":        func() reply { return s.refresh("jgr1_" + sid) },
		"refresh with more": func() reply {
			return s.send(s.Refresh, jsonRequest("refresh_token", mallory.Refresh, "sid", sid, "session_id", sid))
		},
		"logout":         func() reply { return s.send(s.Logout, jsonRequest("refresh_token", sid, "sid", sid, "id", sid)) },
		"logout, Bearer": func() reply { return s.send(s.Logout, withToken(formRequest(), sid)) },
		"refresh with a wrong pair": func() reply {
			return s.send(s.Refresh, withToken(formRequest("refresh_token", mallory.Refresh), victim.Access))
		},
		"logout by path": func() reply { req := formRequest(); req.Path = "/logout/" + sid; return s.send(s.Logout, req) },
	}
	for name, attempt := range attempts {
		attempt()
		if got := s.authenticate(victim.Access); got != "alice" {
			t.Errorf("%s: the victim is %s", name, got)
		}
	}
	if s.refresh(victim.Refresh).text != "200" || s.liveSessions("alice") != 1 {
		t.Error("the victim's session was ended")
	}
	// Nor has alice access to the session of mallory.
	if got := s.deleteSession(victim.Access, "/sessions/"+own).text; got != "404 not_found" {
		t.Errorf("mallory's session: got %s", got)
	}
}

// TestSessionsBehindProtect checks the endpoints behind a guard: they use its identity if it
// is a guard of the same Auth.
func TestSessionsBehindProtect(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	decision := s.Decide(t.Context(), withToken(jwtgate.Request{Method: http.MethodGet}, tokens.Access))
	if decision.Refusal != nil {
		t.Fatal(decision.Refusal)
	}
	if res := s.read(s.ListSessions(decision.Context, withToken(jwtgate.Request{Method: http.MethodGet}, tokens.Access))); res.text != "200" || !strings.Contains(string(res.Body), `"current":true`) {
		t.Errorf("list: got %s %s", res.text, res.Body)
	}
	if got := s.read(s.DeleteSession(decision.Context, withToken(jwtgate.Request{Method: http.MethodDelete, Path: sidOf(t, tokens.Access)}, tokens.Access))).text; got != "204" {
		t.Errorf("delete: got %s", got)
	}
	// The decision of another Auth has no effect.
	other := s.another()
	again := s.login("alice")
	decision = other.Decide(t.Context(), withToken(jwtgate.Request{Method: http.MethodGet}, again.Access))
	if got := s.read(s.LogoutAll(decision.Context, jwtgate.Request{Method: http.MethodPost})).text; got != "401 token_missing" {
		t.Errorf("logout from everywhere: got %s", got)
	}
	decision = s.Decide(t.Context(), withToken(jwtgate.Request{Method: http.MethodGet}, again.Access))
	if got := s.read(s.LogoutAll(decision.Context, withToken(jwtgate.Request{Method: http.MethodPost}, again.Access))).text; got != "204" {
		t.Errorf("logout from everywhere: got %s", got)
	}
}
