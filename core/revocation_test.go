package jwtgate_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// With RetireReplaced an access token is good until its refresh token has been
// replaced and the window is over.
func TestRetireReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true })
		other := d.another()
		synctest.Wait()
		second := d.token("alice") // another session, never refreshed
		loose := jwtgatetest.Token(t, d.Auth, "alice")
		generations := []deskReply{d.token("alice")}
		check := func(when string, good ...bool) {
			t.Helper()
			synctest.Wait()
			for _, at := range []*desk{d, other} {
				for i, want := range good {
					if got := at.who(generations[i].Access) == "alice"; got != want {
						t.Errorf("%s: generation %d is good: %v; want %v", when, i, got, want)
					}
				}
				if at.who(second.Access) != "alice" || at.who(loose) != "alice" {
					t.Errorf("%s: other tokens are refused", when)
				}
			}
		}
		check("after login", true)
		generations = append(generations, d.rotated(generations[0].Refresh))
		check("after a rotation", true, true)
		generations = append(generations, d.rotated(generations[0].Refresh)) // the same generation again
		if generations[2].Refresh != generations[1].Refresh {
			t.Fatal("two successors")
		}
		d.clock.Advance(10*time.Second - time.Millisecond)
		check("at the end of the window", true, true, true)
		d.clock.Advance(time.Millisecond)
		check("after the window", false, true, true)
		generations = append(generations, d.rotated(generations[1].Refresh))
		check("after the next rotation", false, true, true, true)
		d.clock.Advance(10 * time.Second)
		check("after its window", false, false, false, true)
		fresh := d.another() // a process that starts now
		synctest.Wait()
		if fresh.who(generations[2].Access) != revoked || fresh.who(generations[3].Access) != "alice" {
			t.Error("a process that starts later judges otherwise")
		}
		d.clock.Advance(10 * time.Minute)
		check("long after", false, false, false, true)
		d.logout(generations[3].Refresh)
		check("after logout", false, false, false, false)
	})
}

// Without a window, an access token is good until its refresh token is replaced.
func TestRetireReplacedSingleUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced, c.Sessions.SingleUse = true, true })
		synctest.Wait()
		before := d.token("alice")
		for range 5 {
			after := d.rotated(before.Refresh)
			synctest.Wait()
			if d.who(before.Access) != revoked || d.who(after.Access) != "alice" {
				t.Fatalf("before is %s, after is %s", d.who(before.Access), d.who(after.Access))
			}
			before = after
		}
	})
}

// Whoever loses a race, or is overtaken by the end of the window, gets an access
// token of the generation that is current then.
func TestRetireReplacedRacers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true })
		tokens := d.token("alice")
		answers := make([]deskReply, 16)
		var racers sync.WaitGroup
		for i := range answers {
			racers.Go(func() { answers[i] = d.refresh(tokens.Refresh) })
		}
		racers.Wait()
		// One that found the record before the rotation, and took its step after it.
		late := d.token("alice")
		var winner deskReply
		d.store.hook(func(_ context.Context, call string) error {
			if call == "Advance" && winner.text == "" {
				winner.text = "being refreshed"
				winner = d.rotated(late.Refresh)
			}
			return nil
		}, nil)
		answers = append(answers, d.rotated(late.Refresh), winner)
		d.store.mend()
		// One that found the window open, and took its step after it.
		slow := d.token("alice")
		replaced := d.rotated(slow.Refresh)
		d.clock.Advance(9 * time.Second)
		d.loads(func(context.Context, string) (jwtgate.Grant, error) {
			d.clock.Advance(time.Second)
			return jwtgate.Grant{}, nil
		})
		current := d.rotated(replaced.Refresh)
		if current.Refresh == replaced.Refresh {
			t.Fatal("the window was open")
		}
		answers = append(answers, current)
		d.clock.Advance(time.Minute)
		synctest.Wait()
		for i, res := range answers {
			if got := d.who(res.Access); got != "alice" {
				t.Errorf("racer %d: access token: got %s", i, got)
			}
		}
		for i, res := range []deskReply{tokens, late, slow, replaced} {
			if got := d.who(res.Access); got != revoked {
				t.Errorf("access token %d of those that were replaced: got %s", i, got)
			}
		}
	})
}

// With AllowList the store has the word on every access token of ours.
func TestAllowList(t *testing.T) {
	t.Parallel()
	secret := []byte("signs the tokens of a partner, whom we trust some way")
	partner := keys.HS256(secret)
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Sessions.AllowList = true
		c.Sessions.RefreshTTL = 10 * time.Minute
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	alice, bob := d.token("alice"), d.token("bob")
	sid := sidOf(t, alice.Access)
	foreign := func(sid string) string {
		return jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"`+partner.ID()+`"}`,
			fmt.Sprintf(`{"iss":"https://partner.example","aud":%q,"sub":"carol","sid":%q,"exp":%d}`, deskAudience, sid, d.clock.Now().Unix()+600))
	}
	for _, row := range []struct{ name, access, want string }{
		{"live session", alice.Access, "alice"},
		{"live session, minted elsewhere", d.minted(map[string]any{"sid": sid}), "alice"},
		{"no session", jwtgatetest.Token(t, d.Auth, "alice"), revoked},
		{"session that never was", d.minted(map[string]any{"sid": session.NewID("alice").String()}), revoked},
		{"sid that is no session's", d.minted(map[string]any{"sid": "x"}), revoked},
		{"sid is empty", d.minted(map[string]any{"sid": ""}), revoked},
		{"someone else's session", d.minted(map[string]any{"sid": sidOf(t, bob.Access)}), revoked},
		{"a partner's, who have sessions of their own", foreign("x"), "carol"},
		{"a partner's with the id of ours", foreign(sid), "carol"},
	} {
		if got := d.who(row.access); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	d.store.breaks("Find", false)
	if got := d.who(alice.Access); got != "503 unavailable" {
		t.Errorf("trouble with the store: got %s", got)
	}
	if told := d.book.told(); !strings.Contains(told, "store_down alice "+sid) {
		t.Errorf("told %q", told)
	}
	d.store.mend()
	if got := d.who(alice.Access); got != "alice" {
		t.Errorf("after the trouble: got %s", got)
	}
	// Ended by a process whose announcements do not get here.
	id, _ := session.ParseID(sid)
	if _, err := d.store.End(t.Context(), id, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := d.who(alice.Access); got != revoked {
		t.Errorf("session that was ended: got %s", got)
	}
	d.clock.Advance(10 * time.Minute)
	if got := d.who(bob.Access); got != revoked {
		t.Errorf("session that is idle for too long: got %s", got)
	}
}

// What ends on one process is over on the others: two Auths with one store are
// two processes.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(d *desk, tokens deskReply){
		"/logout":         func(d *desk, tokens deskReply) { d.logout(tokens.Refresh) },
		"/logout, Bearer": func(d *desk, tokens deskReply) { d.ask(d.Logout, bearing(tokens.Access, formOf())) },
		"/logout/all":     func(d *desk, tokens deskReply) { d.ask(d.LogoutAll, bearing(tokens.Access, formOf())) },
		"/sessions/{id}":  func(d *desk, tokens deskReply) { d.remove(tokens.Access, "/"+sidOf(d.tb, tokens.Access)) },
		"EndSession":      func(d *desk, tokens deskReply) { _ = d.EndSession(d.tb.Context(), sidOf(d.tb, tokens.Access)) },
		"EndSessions":     func(d *desk, _ deskReply) { _ = d.EndSessions(d.tb.Context(), "alice") },
		"replay": func(d *desk, tokens deskReply) {
			d.rotated(tokens.Refresh)
			d.clock.Advance(10 * time.Second)
			d.refresh(tokens.Refresh)
		},
		"disabled": func(d *desk, tokens deskReply) {
			d.loads(noSubject)
			d.refresh(tokens.Refresh)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			other := d.another()
			synctest.Wait()
			tokens, bystander := other.token("alice"), other.token("bob")
			if got := d.who(tokens.Access); got != "alice" {
				t.Fatalf("%s: before: got %s", name, got)
			}
			end(d, tokens)
			synctest.Wait()
			late := d.another()
			synctest.Wait()
			for where, at := range map[string]*desk{"here": d, "elsewhere": other, "on a process that starts later": late} {
				if got := at.who(tokens.Access); got != revoked {
					t.Errorf("%s: %s: access token: got %s", name, where, got)
				}
				if got := at.refresh(tokens.Refresh).text; got != refreshRevoked {
					t.Errorf("%s: %s: refresh token: got %s", name, where, got)
				}
				if got := at.who(bystander.Access); got != "bob" {
					t.Errorf("%s: %s: someone else: got %s", name, where, got)
				}
			}
		})
	}
}

// However many sessions end, none comes back while a token of it could be alive.
func TestManyRevocations(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	type token struct {
		jwtgate.AccessToken
		how string
	}
	var ended []token
	for i := range 3000 {
		subject := fmt.Sprint("subject ", i)
		tokens, err := d.SignIn(t.Context(), jwtgate.Request{}, subject)
		if err != nil {
			t.Fatal(err)
		}
		loose, err := d.Issue(t.Context(), jwtgate.Grant{Subject: subject})
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0:
			err = d.EndSession(t.Context(), tokens.SessionID)
			ended = append(ended, token{tokens.Access, "by its session"})
		case 1:
			err = d.EndSessions(t.Context(), subject)
			ended = append(ended, token{tokens.Access, "with its session"}, token{loose, "with its subject"})
		case 2:
			d.ask(d.Logout, bearing(loose.Token, formOf()))
			ended = append(ended, token{loose, "by its jti"})
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			d.clock.Advance(time.Second)
		}
	}
	for i, token := range ended {
		want := revoked
		if !d.clock.Now().Before(token.Expires) {
			want = "401 token_expired"
		}
		if got := d.who(token.Token); got != want {
			t.Errorf("token %d, ended %s: got %s; want %s", i, token.how, got, want)
		}
	}
}

// What is over does not stay in memory, and need not be looked for all at once.
func TestRevocationsAreForgotten(t *testing.T) {
	t.Parallel()
	const alive = 16 * 60 // one a second, for as long as each is remembered
	d := newDesk(t)
	for range 10 * alive {
		if err := d.EndSession(t.Context(), session.NewID("alice").String()); err != nil {
			t.Fatal(err)
		}
		d.clock.Advance(time.Second)
	}
	if got := d.HeldRevocations(); got < alive || got > 3*alive/2 {
		t.Errorf("got %d in memory, want the %d that matter and not many more", got, alive)
	}
}

// Tokens without a session are revoked with their subject: those issued until
// then, to the second, and no others.
func TestSubjectRevocation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	issued := func(subject string, at time.Duration) string {
		now := d.clock.Now().Add(at).Unix()
		return d.minted(map[string]any{"sub": subject, "iat": now, "exp": now + 900, "jti": fmt.Sprint(subject, at)})
	}
	d.clock.Advance(time.Minute + 500*time.Millisecond)
	before, same, bobs := issued("alice", -time.Minute), issued("alice", 0), issued("bob", 0)
	undated := d.minted(map[string]any{"iat": nil})
	d.clock.Advance(200 * time.Millisecond)
	if err := d.EndSessions(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Second)
	for _, row := range []struct{ name, access, want string }{
		{"issued a minute before", before, revoked},
		{"issued in the second of it", same, revoked},
		{"issued, nobody knows when", undated, revoked},
		{"issued a second after", issued("alice", 0), "alice"},
		{"someone else's", bobs, "bob"},
	} {
		if got := d.who(row.access); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// A revocation lasts as long as what it revokes: a token of ours that was minted
// elsewhere may live up to MaxLifetime.
func TestSubjectRevocationLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		long := d.minted(map[string]any{"exp": d.clock.Now().Add(12 * time.Hour).Unix()})
		if err := d.EndSessions(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		d.clock.Advance(time.Hour)
		late := d.another()
		synctest.Wait()
		for where, at := range map[string]*desk{"here": d, "on a process that starts later": late} {
			if got := at.who(long); got != revoked {
				t.Errorf("%s: got %s", where, got)
			}
		}
	})
}

// A MaxLifetime that bounds nothing does not end the revocation before it begins.
func TestSubjectRevocationOfAnyLifetime(t *testing.T) {
	t.Parallel()
	for _, most := range []time.Duration{0, 100 * 365 * 24 * time.Hour, math.MaxInt64} {
		d := newDesk(t, func(c *jwtgate.Config) { c.MaxLifetime = most })
		access := d.minted(nil)
		if err := d.EndSessions(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if got := d.who(access); got != revoked {
			t.Errorf("MaxLifetime %v: got %s", most, got)
		}
	}
}
