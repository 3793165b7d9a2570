package jwtgate_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// Every mistake is told, by the name of its field, and without the secret that
// may be in it.
func TestSessionConfigMistakes(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &faultyStore{Store: session.NewMemory(0, nil)} // any store but a Memory
	long := []byte("a secret that is as long as it has to be, and longer")
	for _, row := range []struct {
		name   string
		change func(c *jwtgate.Config, s *jwtgate.SessionConfig)
		want   string // the fields, in alphabetical order
	}{
		{"none", func(*jwtgate.Config, *jwtgate.SessionConfig) {}, ""},
		{"no Subject", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Subject = nil }, "Sessions.Subject"},
		{"RefreshTTL below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.RefreshTTL = -1 }, "Sessions.RefreshTTL"},
		{"SessionTTL below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.SessionTTL = -1 }, "Sessions.SessionTTL"},
		{"Timeout below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Timeout = -1 }, "Sessions.Timeout"},
		{"ReuseWindow below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = -1 }, "Sessions.ReuseWindow"},
		{"ReuseWindow as long as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = time.Minute }, ""},
		{"ReuseWindow too long", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.ReuseWindow = time.Minute + 1 }, "Sessions.ReuseWindow"},
		{"MaxLag below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxLag = -1 }, "Sessions.MaxLag"},
		{"MaxLag as short as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxLag = time.Second }, ""},
		{"MaxLag too short", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxLag = time.Second - 1 }, "Sessions.MaxLag"},
		{"MaxSessions below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.MaxSessions = -1 }, "Sessions.MaxSessions"},
		{"RefuseAtMax without a maximum", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.RefuseAtMax = true }, "Sessions.RefuseAtMax"},
		{"Jitter below zero", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Jitter = -1 }, "Sessions.Jitter"},
		{"Jitter as long as may be", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Jitter = 450 * time.Second }, ""},
		{"Jitter too long", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Jitter = 450*time.Second + 1 }, "Sessions.Jitter"},
		{"short key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{[]byte("hunter2")} }, "Sessions.Keys"},
		{"key a byte too short", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{long[:31]} }, "Sessions.Keys"},
		{"short second key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{long, []byte("hunter2")} }, "Sessions.Keys"},
		{"empty key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{{}} }, "Sessions.Keys"},
		{"key of the shortest length", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Keys = [][]byte{long[:32]} }, ""},
		{"ECDSA, memory, no key", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Keys = keys.ES256(private) }, ""},
		{"ECDSA, named memory, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.ES256(private), session.NewMemory(0, nil)
		}, ""},
		{"ECDSA, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) { c.Keys, s.Store = keys.ES256(private), elsewhere }, "Sessions.Keys"},
		{"ECDSA, shared store, key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store, s.Keys = keys.ES256(private), elsewhere, [][]byte{long}
		}, ""},
		{"HMAC, shared store, no key", func(_ *jwtgate.Config, s *jwtgate.SessionConfig) { s.Store = elsewhere }, ""},
		{"HMAC ring, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.Set{keys.HS256(long), keys.HS256(deskSecret)}, elsewhere
		}, "Sessions.Keys"},
		{"ring of one HMAC key, shared store, no key", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			c.Keys, s.Store = keys.NewRing(keys.HS256(long)), elsewhere
		}, "Sessions.Keys"},
		{"ring of public keys", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) {
			c.Keys = keys.NewRing(keys.ES256(&private.PublicKey))
		}, "Keys"},
		{"ring of public keys, one to sign announced", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) {
			ring := keys.NewRing(keys.ES256(&private.PublicKey))
			_ = ring.Announce(keys.HS256(long))
			c.Keys = ring
		}, "Keys"},
		{"public key", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Keys = keys.ES256(&private.PublicKey) }, "Keys"},
		{"short signing secret", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Keys = keys.HS256([]byte("hunter2")) }, "Keys"},
		{"no issuer", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Issuer, c.InsecureAnyIssuer = "", true }, "Sessions"},
		{"no audience", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.Audience, c.InsecureAnyAudience = "", true }, "Sessions"},
		{"any issuer, one of our own", func(c *jwtgate.Config, _ *jwtgate.SessionConfig) { c.InsecureAnyIssuer = true }, ""},
		{"all at once", func(c *jwtgate.Config, s *jwtgate.SessionConfig) {
			*s = jwtgate.SessionConfig{RefreshTTL: -1, SessionTTL: -1, Timeout: -1, ReuseWindow: -1, MaxSessions: -1, Jitter: -1, Keys: [][]byte{[]byte("hunter2")}}
			c.Issuer = ""
		}, "Issuer Sessions.Jitter Sessions.Keys Sessions.MaxSessions Sessions.RefreshTTL Sessions.ReuseWindow Sessions.SessionTTL Sessions.Subject Sessions.Timeout"},
	} {
		config := jwtgate.Config{Issuer: deskIssuer, Audience: deskAudience, Keys: keys.HS256(deskSecret)}
		sessions := jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }}
		config.Sessions = &sessions
		row.change(&config, &sessions)
		auth, err := jwtgate.New(config)
		auth.Close()
		if got := fieldsOf(err); got != row.want {
			t.Errorf("%s: wrong are %q; want %q: %v", row.name, got, row.want, err)
		}
		if err != nil && (auth != nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), string(long[:31]))) {
			t.Errorf("%s: got an Auth, or the secret: %v", row.name, err)
		}
	}
}

// fieldsOf returns the fields of the ConfigErrors that err joins, in alphabetical order.
func fieldsOf(err error) string {
	var fields []string
	var collect func(error)
	collect = func(err error) {
		var joined interface{ Unwrap() []error }
		if mistake := (*jwtgate.ConfigError)(nil); errors.As(err, &joined) {
			for _, e := range joined.Unwrap() {
				collect(e)
			}
		} else if errors.As(err, &mistake) && mistake.Reason != "" {
			fields = append(fields, mistake.Field)
		} else if err != nil {
			fields = append(fields, "nothing named: "+err.Error())
		}
	}
	collect(err)
	return sorted(fields)
}

// What can never work is a mistake, too: tokens count in whole seconds.
func TestSessionShorterThanASecond(t *testing.T) {
	t.Parallel()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer: deskIssuer, Audience: deskAudience, Keys: keys.HS256(deskSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject:    func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
			SessionTTL: 500 * time.Millisecond,
		},
	})
	auth.Close()
	if got := fieldsOf(err); got != "Sessions.SessionTTL" {
		t.Errorf("wrong are %q", got)
	}
}

// The caller's configuration is its own again after New, secrets and all.
func TestSessionConfigIsCopied(t *testing.T) {
	t.Parallel()
	secret := bytes.Clone(deskRefreshSecret)
	sessions := &jwtgate.SessionConfig{}
	d := newDesk(t, func(c *jwtgate.Config) {
		*sessions = *c.Sessions
		sessions.Keys = [][]byte{secret}
		c.Sessions = sessions
	})
	tokens := d.token("alice")
	clear(secret)
	*sessions = jwtgate.SessionConfig{}
	if got := d.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("got %s", got)
	}
	if got := d.who(d.token("bob").Access); got != "bob" {
		t.Errorf("got %s", got)
	}
}

// With one HMAC key, the secret of refresh tokens follows from it: a process that
// starts again with the same configuration knows its tokens.
func TestRefreshKeyDerived(t *testing.T) {
	t.Parallel()
	derived := func(c *jwtgate.Config) { c.Sessions.Keys = nil }
	d := newDesk(t, derived)
	tokens := d.token("alice")
	if got := d.another(derived).refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("with the same key: got %s", got)
	}
	if got := d.another(derived, func(c *jwtgate.Config) { c.Keys = keys.HS256(deskRefreshSecret) }).refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("with another key: got %s", got)
	}
	if got := d.another(func(c *jwtgate.Config) { c.Sessions.Keys = [][]byte{deskSecret} }).refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("with the same key, given as one for refresh tokens: got %s", got)
	}
}

// Close ends what New began, however often and by however many it is called; a
// New that fails begins nothing. The bubble would not end with a goroutine left.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		synctest.Wait()
		tokens := d.token("alice")
		for range 3 {
			go d.Close()
		}
		d.Close()
		d.Close()
		if got := d.who(tokens.Access); got != "alice" {
			t.Errorf("after Close: got %s", got)
		}
		next := d.rotated(tokens.Refresh)
		d.logout(next.Refresh)
		if got := d.who(next.Access); got != revoked {
			t.Errorf("after Close and logout: got %s", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		config := jwtgate.Config{Issuer: deskIssuer, Audience: deskAudience, Keys: keys.HS256(deskSecret), Sessions: &jwtgate.SessionConfig{}}
		if _, err := jwtgate.New(config); err == nil {
			t.Error("no Subject, and no error")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// The feed may take its time.
		feed := &slowFeed{}
		d := newDesk(t, func(c *jwtgate.Config) { feed.Store, c.Sessions.Store = c.Sessions.Store, feed })
		synctest.Wait()
		d.Close()
		if !feed.ended {
			t.Error("Close did not wait")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// While the feed is down, and waits to be taken up again.
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.Store = deadFeed{c.Sessions.Store} })
		synctest.Wait()
		d.Close()
		if told := d.book.told(); strings.Count(told, "store_down") != 1 {
			t.Errorf("told %q", told)
		}
	})
}

// slowFeed is a store whose feed takes a second to end.
type slowFeed struct {
	session.Store

	ended bool
}

func (s *slowFeed) Feed(ctx context.Context, _ func(session.Revocation), _ func()) error {
	<-ctx.Done()
	time.Sleep(time.Second) // of the bubble's time
	s.ended = true
	return ctx.Err()
}

// deadFeed is a store whose feed fails at once.
type deadFeed struct{ session.Store }

func (deadFeed) Feed(context.Context, func(session.Revocation), func()) error { return errDesk }

// What happens to a session is told once, with whom, which and by what.
func TestEvents(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	codec, err := refreshtoken.New(deskRefreshSecret)
	if err != nil {
		t.Fatal(err)
	}
	altered := func(refresh string, change func(*refreshtoken.Token)) string {
		token, err := codec.Decode(refresh)
		if err != nil {
			t.Fatal(err)
		}
		change(&token)
		return codec.Encode(token)
	}
	with := func(refresh string) jwtgate.Request {
		req := withField(formOf("refresh_token", refresh), "User-Agent", "looking glass")
		return req
	}
	login := withField(formOf("username", "alice", "password", "wonderland"), "User-Agent", "looking glass")
	tokens := d.ask(d.Auth.Token(deskUsers), login)
	sid := sidOf(t, tokens.Access)
	said := func(kind jwtgate.EventKind) string { return string(kind) + " alice " + sid + " by looking glass" }
	if got := d.book.told(); got != said(jwtgate.EventSignedIn) {
		t.Errorf("login: told %q; want %q", got, said(jwtgate.EventSignedIn))
	}
	var last deskReply
	for _, row := range []struct {
		name string
		do   func() deskReply
		want string // its beginning, where it ends in "…"
	}{
		{"wrong password", func() deskReply {
			return d.ask(d.Auth.Token(deskUsers), formOf("username", "alice", "password", "guess"))
		}, ""},
		{"no refresh token", func() deskReply { return d.ask(d.Refresh, formOf()) }, ""},
		{"garbage", func() deskReply { return d.ask(d.Refresh, with("garbage")) }, ""},
		{"rotated", func() deskReply { last = d.ask(d.Refresh, with(tokens.Refresh)); return last }, said(jwtgate.EventRotated)},
		{"the replaced one again", func() deskReply { return d.ask(d.Refresh, with(tokens.Refresh)) }, said(jwtgate.EventRepeated)},
		{"the current one again", func() deskReply { return d.ask(d.Refresh, with(last.Refresh)) }, said(jwtgate.EventRepeated)},
		{"another nonce", func() deskReply {
			return d.ask(d.Refresh, with(altered(last.Refresh, func(t *refreshtoken.Token) { t.Nonce = refreshtoken.NewNonce() })))
		}, said(jwtgate.EventForged)},
		{"from ahead", func() deskReply {
			last = d.ask(d.Refresh, with(altered(last.Refresh, func(t *refreshtoken.Token) { t.Generation++ })))
			return last
		}, said(jwtgate.EventHealed)},
		{"subject cannot be loaded", func() deskReply {
			d.loads(troubledSubject)
			defer d.loads(nil)
			return d.ask(d.Refresh, with(last.Refresh))
		}, said(jwtgate.EventStoreDown) + ": " + errDesk.Error()},
		{"store cannot be reached", func() deskReply {
			d.store.breaks("Find", false)
			defer d.store.mend()
			return d.ask(d.Refresh, with(last.Refresh))
		}, "store_down " + sid + " by looking glass: " + errDesk.Error()},
		{"replayed", func() deskReply { return d.ask(d.Refresh, with(tokens.Refresh)) }, said(jwtgate.EventReused)},
		{"replayed again", func() deskReply { return d.ask(d.Refresh, with(tokens.Refresh)) }, ""},
		{"logout of what is over", func() deskReply { return d.ask(d.Logout, with(last.Refresh)) }, ""},
		{"logout of nothing", func() deskReply { return d.ask(d.Logout, formOf()) }, ""},
	} {
		res := row.do()
		if got := d.book.told(); got != row.want {
			t.Errorf("%s, %s: told %q; want %q", row.name, res.text, got, row.want)
		}
	}
	for kind, end := range map[jwtgate.EventKind]func(tokens deskReply){
		jwtgate.EventEnded:    func(tokens deskReply) { d.ask(d.Logout, with(tokens.Refresh)) },
		jwtgate.EventEndedAll: func(tokens deskReply) { d.ask(d.LogoutAll, bearing(tokens.Access, with(""))) },
		jwtgate.EventDisabled: func(tokens deskReply) {
			d.loads(noSubject)
			defer d.loads(nil)
			d.ask(d.Refresh, with(tokens.Refresh))
		},
	} {
		tokens := d.token("alice")
		d.book.told()
		end(tokens)
		want := string(kind) + " alice"
		if kind != jwtgate.EventEndedAll {
			want += " " + sidOf(t, tokens.Access)
		}
		if got := d.book.told(); !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: told %q; want %q", kind, got, want)
		}
	}
}

// An event says by which user agent it came to be, whatever its kind.
func TestEventsByUserAgent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for kind, end := range map[jwtgate.EventKind]func(tokens deskReply) (jwtgate.Endpoint, jwtgate.Request){
		jwtgate.EventEnded: func(tokens deskReply) (jwtgate.Endpoint, jwtgate.Request) {
			return d.Logout, formOf("refresh_token", tokens.Refresh)
		},
		jwtgate.EventEndedAll: func(tokens deskReply) (jwtgate.Endpoint, jwtgate.Request) {
			return d.LogoutAll, bearing(tokens.Access, formOf())
		},
		jwtgate.EventDisabled: func(tokens deskReply) (jwtgate.Endpoint, jwtgate.Request) {
			d.loads(noSubject)
			return d.Refresh, formOf("refresh_token", tokens.Refresh)
		},
	} {
		d.loads(nil)
		endpoint, req := end(d.token("alice"))
		req = withField(req, "User-Agent", "looking glass")
		d.book.told()
		d.ask(endpoint, req)
		if got := d.book.told(); !strings.HasSuffix(got, " by looking glass") {
			t.Errorf("%s: told %q", kind, got)
		}
	}
}

// A client that hangs up is no trouble of ours: nobody is to be woken up by who
// sends logins and does not wait.
func TestHangUpIsNoAlarm(t *testing.T) {
	t.Parallel()
	var fail error // what comes of it
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Sessions.Throttle = func(_ context.Context, _ jwtgate.Request, username string) (time.Duration, error) {
			if username == "throttled" {
				return 0, fail
			}
			return 0, nil
		}
	})
	check := func(context.Context, string, string) (string, bool, error) { return "", false, fail }
	login := d.Auth.Token(check)
	here := t.Context()
	gone, hangUp := context.WithCancel(here)
	hangUp()
	for _, row := range []struct {
		name string
		ctx  context.Context
		err  error
		told string
	}{
		{"hung up", gone, fmt.Errorf("query: %w", context.Canceled), ""},
		{"hung up, in a driver's words", gone, errors.New("canceling statement due to user request"), ""},
		{"there", here, errDesk, "store_down: " + errDesk.Error()},
		{"there, but a pool was closed", here, context.Canceled, "store_down: context canceled"},
		{"there, but it took too long", here, context.DeadlineExceeded, "store_down: context deadline exceeded"},
	} {
		fail = row.err
		for _, username := range []string{"alice", "throttled"} {
			d.book.told()
			login(row.ctx, formOf("username", username, "password", "x"))
			if told := d.book.told(); told != row.told {
				t.Errorf("%s, %s: told %q; want %q", row.name, username, told, row.told)
			}
		}
	}
	// What the client cannot cancel is trouble if it is cancelled.
	tokens := d.token("alice")
	for call, ask := range map[string]func(){
		"Find": func() { d.Refresh(gone, formOf("refresh_token", tokens.Refresh)) },
		"End":  func() { d.Logout(gone, formOf("refresh_token", tokens.Refresh)) },
	} {
		d.book.told()
		d.store.hook(func(_ context.Context, called string) error {
			if called == call {
				return fmt.Errorf("pool: %w", context.Canceled)
			}
			return nil
		}, nil)
		ask()
		if told := d.book.told(); !strings.Contains(told, "store_down") {
			t.Errorf("%s is cancelled by the store: told %q", call, told)
		}
	}
}

// An application may answer a replay by ending all sessions of the subject.
func TestEventEndsSessions(t *testing.T) {
	t.Parallel()
	var d *desk
	d = newDesk(t, func(c *jwtgate.Config) {
		c.Events = func(ctx context.Context, e jwtgate.Event) {
			if e.Kind == jwtgate.EventReused {
				if err := d.EndSessions(ctx, e.Subject); err != nil {
					t.Error(err)
				}
			}
		}
	})
	tokens, second := d.token("alice"), d.token("alice")
	d.rotated(tokens.Refresh)
	d.clock.Advance(10 * time.Second)
	if got := d.refresh(tokens.Refresh).text; got != refreshReused {
		t.Errorf("replay: got %s", got)
	}
	if got := d.who(second.Access); got != revoked {
		t.Errorf("another session: got %s", got)
	}
}

// Refusals are logged for those who look for them, trouble and alarms for all.
func TestSessionsLog(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		var log bytes.Buffer
		d := newDesk(t, func(c *jwtgate.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
		})
		lines := func() int {
			n := strings.Count(log.String(), "\n")
			d.book.Write(log.Bytes()) //nolint:errcheck // never fails
			log.Reset()
			return n
		}
		tokens := d.token("alice")
		if got := lines(); got != 0 {
			t.Errorf("%v: login is logged", level)
		}
		d.refresh("garbage")
		if got := lines(); (got == 1) != (level <= slog.LevelDebug) {
			t.Errorf("%v: a refusal has %d lines", level, got)
		}
		d.rotated(tokens.Refresh)
		d.store.breaks("Find", false)
		d.refresh(tokens.Refresh)
		d.store.mend()
		if got := lines(); got != 1 {
			t.Errorf("%v: trouble has %d lines", level, got)
		}
		d.clock.Advance(10 * time.Second)
		d.refresh(tokens.Refresh)
		if got := lines(); (got >= 1) != (level <= slog.LevelWarn) {
			t.Errorf("%v: a replay has %d lines", level, got)
		}
	}
}

// Who names no store is told, once, that sessions end with the process. Who names
// one is not.
func TestSessionsLogMemory(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]session.Store{"none": nil, "a memory": session.NewMemory(0, nil)} {
		var log bytes.Buffer
		d := newDesk(t, func(c *jwtgate.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
			c.Sessions.Store = store
		})
		d.token("alice")
		want := 0
		if store == nil {
			want = 1
		}
		if got := strings.Count(log.String(), "\n"); got != want {
			t.Errorf("store is %s: logged %d lines: %s", name, got, &log)
		}
	}
}

// A store that is full refuses logins and nothing else, and what has expired
// makes room.
func TestStoreIsFull(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	small := d.another(func(c *jwtgate.Config) {
		c.Sessions.Store = session.NewMemory(2, d.clock.Now)
		c.Sessions.RefreshTTL = time.Hour
	})
	login := func(subject string) string {
		return small.ask(small.Auth.Token(deskUsers), formOf("username", subject, "password", "wonderland")).text
	}
	alice, bob := small.token("alice"), small.token("bob")
	if got := login("carol"); got != "503 unavailable" {
		t.Errorf("at the bound: got %s", got)
	}
	if small.who(alice.Access) != "alice" || small.refresh(bob.Refresh).text != "200" {
		t.Error("those who are in are not")
	}
	d.clock.Advance(2 * time.Hour)
	for i := range 100 { // of all shards
		subject := fmt.Sprint("subject ", i)
		if got := login(subject); got != "200" {
			t.Fatalf("%s, after all have expired: got %s", subject, got)
		}
		d.clock.Advance(time.Hour)
	}
}

// The whole life of many sessions at once, for the race detector.
func TestSessionsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced, c.Sessions.MaxSessions = true, 4 })
		other := d.another()
		done := make(chan bool)
		for i := range 8 {
			go func() {
				defer func() { done <- true }()
				subject := fmt.Sprint("subject ", i%3)
				for range 5 {
					tokens := d.token(subject)
					other.refresh(tokens.Refresh)
					d.refresh(tokens.Refresh)
					other.who(tokens.Access)
					d.clock.Advance(11 * time.Second)
					d.list(tokens.Access)
					other.remove(tokens.Access, "/"+sidOf(t, tokens.Access))
					d.refresh(tokens.Refresh)
					other.logout(tokens.Refresh)
					if i == 0 {
						d.ask(d.LogoutAll, bearing(tokens.Access, formOf()))
					}
				}
			}()
		}
		for range 8 {
			<-done
		}
	})
}
