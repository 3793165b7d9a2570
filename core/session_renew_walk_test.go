package jwtgate_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestBrowserWalk has a browser do what browsers do, in random order. As long as it stores
// the cookies of one answer in each window, it stays signed in until the session ends.
func TestBrowserWalk(t *testing.T) {
	t.Parallel()
	for name, setting := range map[string]func(*jwtgate.Config){
		"defaults":    func(*jwtgate.Config) {},
		"RenewBefore": func(c *jwtgate.Config) { c.Cookies.RenewBefore = 5 * time.Minute },
		"retire":      func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true },
		"allow list":  func(c *jwtgate.Config) { c.Sessions.AllowList = true },
		"reissue":     func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true },
	} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("%s, %d", name, seed), func(t *testing.T) {
				t.Parallel()
				walkBrowser(t, newTestServer(t, withCookies, setting), rand.New(rand.NewPCG(seed, 1)))
			})
		}
	}
}

// walkBrowser has a browser take 150 random steps on s.
func walkBrowser(t *testing.T, s *testServer, random *rand.Rand) {
	login := s.loginEndpoint()
	var (
		user   browser
		limit  time.Time // the end of the session by SessionTTL
		idle   time.Time
		stolen []browser // the cookies that the browser had before
	)
	signIn := func() {
		res := login(t.Context(), user.postJSON(aliceLogin))
		if got := s.read(res).text; got != "200 new" {
			t.Fatalf("login: got %s", got)
		}
		stolen = nil
		user.receive(res.Header)
		limit = s.clock.Now().Add(30 * 24 * time.Hour)
		idle = s.clock.Now().Add(7 * 24 * time.Hour)
	}
	live := func() bool { now := s.clock.Now(); return now.Before(limit) && now.Before(idle) }
	signIn()
	for step := range 150 {
		switch action := random.IntN(20); {
		case action == 0:
			if got := s.send(s.Logout, user.post()).text; got != "204 clear" {
				t.Fatalf("step %d: logout: got %s", step, got)
			}
			if user.access != "" || user.refresh != "" {
				if got := s.decide(user.request(http.MethodGet)); !strings.HasPrefix(got, "401 ") {
					t.Fatalf("step %d: after logout: got %s", step, got)
				}
			}
			user = browser{}
			if got := s.decide(user.request(http.MethodGet)); got != "401 token_missing" {
				t.Fatalf("step %d: got %s", step, got)
			}
			signIn()
		case action == 1:
			signIn() // replaces the live session
		case action == 2 && live() && user.access != "":
			user.access = "" // the browser loses one cookie
		case action == 3 && len(stolen) > 0:
			// A thief uses an old refresh token after its window: the session ends.
			if live() {
				s.use(user.refresh)
			}
			s.clock.Advance(16 * time.Minute)
			thief := browser{"", stolen[random.IntN(len(stolen))].refresh}
			if thief.refresh == user.refresh || !live() {
				break
			}
			if got := s.decide(thief.request(http.MethodGet)); got != "401 refresh_reused clear" {
				t.Fatalf("step %d: the thief: got %s", step, got)
			}
			if got := s.decide(user.request(http.MethodGet)); got != "401 refresh_revoked clear" {
				t.Fatalf("step %d: the victim: got %s", step, got)
			}
			signIn()
		case action < 12:
			waits := []time.Duration{time.Second, 9 * time.Second, 11 * time.Second, time.Minute, 11 * time.Minute, 15 * time.Minute, time.Hour, 50 * time.Hour}
			s.clock.Advance(waits[random.IntN(len(waits))])
			if !live() {
				b := browser{"", user.refresh}
				if got := s.decide(b.request(http.MethodGet)); got != "401 refresh_expired clear" {
					t.Fatalf("step %d: past the end: got %s", step, got)
				}
				signIn()
			}
		default:
			// The browser loads a page with several requests.
			if live() {
				loadPage(t, s, random, step, &user, &stolen)
			} else {
				signIn()
			}
			record := s.sessionOf(user.refresh)
			idle = record.Refreshed().Add(7 * 24 * time.Hour)
		}
	}
}

// loadPage has user send several requests with the same cookies within one window. Some
// answers are lost, and the others arrive in random order.
func loadPage(t *testing.T, s *testServer, random *rand.Rand, step int, user *browser, stolen *[]browser) {
	t.Helper()
	sent := *user
	var headers [][]jwtgate.Field
	for i := range 1 + random.IntN(6) {
		s.clock.Advance(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
		method := []string{http.MethodGet, http.MethodPost}[random.IntN(2)]
		d := s.Decide(t.Context(), sent.request(method))
		got := s.describe(d)
		if got != "pass alice" && got != "pass alice new" {
			t.Fatalf("step %d: request %d of the page: got %s", step, i, got)
		}
		if d.Renewed {
			headers = append(headers, d.Response.Header)
		}
	}
	if len(headers) == 0 {
		return
	}
	last := headers[len(headers)-1]
	random.Shuffle(len(headers), func(i, j int) { headers[i], headers[j] = headers[j], headers[i] })
	for _, header := range headers[:1+random.IntN(len(headers))] {
		user.receive(header)
	}
	// The refresh tokens of the answers only differ if a window ended between the
	// requests. Then the browser must receive the last answer.
	if token, err := s.codec().Decode(user.refresh); err != nil || token.Generation != s.sessionOf(user.refresh).Generation {
		user.receive(last)
	}
	if user.refresh != sent.refresh {
		*stolen = append(*stolen, sent)
	}
}

// TestBrowserLosesAnswers checks a browser that loses all answers within a window but the
// last: it stays signed in.
func TestBrowserLosesAnswers(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	for range 20 {
		s.clock.Advance(time.Hour)
		var d jwtgate.Decision
		for range 4 {
			d = s.Decide(t.Context(), b.request(http.MethodPost))
			if got := s.describe(d); got != "pass alice new" {
				t.Fatalf("got %s", got)
			}
			s.clock.Advance(3 * time.Second)
		}
		b.receive(d.Response.Header)
	}
}
