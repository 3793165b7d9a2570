package redisstore_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// A refresher has sessions whose every refresh is a rotation.
type refresher struct {
	auth   *jwtgate.Auth
	tokens [64]string // a refresh token of each session
}

func newRefresher(t testing.TB, store session.Store, sessions int) *refresher {
	t.Helper()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(signingSecret),
		Sessions: &jwtgate.SessionConfig{Subject: loadUser, Store: store, Keys: [][]byte{refreshSecret}, SingleUse: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	r := &refresher{auth: auth}
	for i := range sessions {
		tokens, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice")
		if err != nil {
			t.Fatal(err)
		}
		r.tokens[i] = tokens.Refresh
	}
	return r
}

// refresh refreshes session i at the refresh endpoint.
func (r *refresher) refresh(t testing.TB, i int) {
	t.Helper()
	res := r.auth.Refresh(t.Context(), jwtgate.Request{
		Method: http.MethodPost,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   strings.NewReader("refresh_token=" + r.tokens[i]),
	})
	_, after, found := strings.Cut(string(res.Body), `"refresh_token":"`)
	if !found {
		t.Errorf("got %d %s; want new tokens", res.Status, res.Body)
	}
	r.tokens[i], _, _ = strings.Cut(after, `"`)
}

// TestRoundTrips counts the requests to the server. Each step is one request. A refresh is
// two, because it calls SessionConfig.Subject for the subject of the session before it uses
// up the refresh token.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, startServer(t).addr)
	store := newStore(t, proxy.client(t), redisstore.Config{})
	refresher := newRefresher(t, newStore(t, proxy.client(t), redisstore.Config{}), 1)
	refresher.auth.Close() // ends the feed, which reads all the time
	n, p := newSession("bob")
	for _, row := range []struct {
		name string
		step func()
		want int32
	}{
		{"Create", func() { _, _ = store.Create(t.Context(), n, session.Bound{Max: 100}) }, 1},
		{"Find", func() { _, _, _ = store.Find(t.Context(), p.ID) }, 1},
		{"Advance", func() { _, _, _ = store.Advance(t.Context(), p, singleUse) }, 1},
		{"Confirm", func() { _ = store.Confirm(t.Context(), []session.Confirmation{{ID: p.ID, Generation: 1}}, singleUse) }, 1},
		{"End", func() { _, _ = store.End(t.Context(), p.ID, remember) }, 1},
		{"Revoke", func() { _ = store.Revoke(t.Context(), tokenRevoked("1")) }, 1},
		{"refresh", func() { refresher.refresh(t, 0) }, 2},
	} {
		row.step() // connects, and loads the scripts
		before := proxy.requests.Load()
		row.step()
		if got := proxy.requests.Load() - before; got != row.want {
			t.Errorf("%s: got %d requests; want %d", row.name, got, row.want)
		}
	}
}

// BenchmarkRefresh measures the refresh endpoint without HTTP.
func BenchmarkRefresh(b *testing.B) {
	store, err := redisstore.New(startServer(b).client(), redisstore.Config{})
	if err != nil {
		b.Fatal(err)
	}
	refresher := newRefresher(b, store, 64)
	for _, goroutines := range []int{1, 64} {
		b.Run("callers="+strconv.Itoa(goroutines), func(b *testing.B) {
			at(b, goroutines, func(goroutine, _ int) error { refresher.refresh(b, goroutine); return nil })
		})
	}
}
