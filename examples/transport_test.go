package examples

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// faulty is a network on which every second request to /refresh fails. In turn, it
// is answered with status 503 before it reaches the server, or its response is lost.
type faulty struct {
	http.Transport
	refreshes atomic.Int64
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/refresh" {
		return f.Transport.RoundTrip(r)
	}
	n := f.refreshes.Add(1)
	if n%4 == 1 {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusServiceUnavailable)
		return w.Result(), nil
	}
	res, err := f.Transport.RoundTrip(r)
	if err == nil && n%4 == 3 {
		_ = res.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return res, err
}

// TestTransport runs Go programs that share a session in a file, on a faulty network
// and with access tokens that live for some seconds.
func TestTransport(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "ACCESS_TTL=4s") {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			network := &faulty{}
			t.Cleanup(network.CloseIdleConnections)
			store := jwtclient.TokenFile(filepath.Join(t.TempDir(), "tokens.json"))
			var programs []*jwtclient.Transport
			for range 3 {
				programs = append(programs, must[*jwtclient.Transport](t)(jwtclient.New(jwtclient.Config{Origin: p.url, Base: network, Store: store})))
			}
			if err := programs[0].SignIn(t.Context(), "alice", "wonderland"); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					client := &http.Client{Transport: programs[i%len(programs)]}
					for begun := time.Now(); time.Since(begun) < 9*time.Second; time.Sleep(100 * time.Millisecond) {
						text := fmt.Sprintf(`{"text":"%d"}`, i)
						res, err := client.Post(p.url+"/notes", "application/json", strings.NewReader(text))
						if err != nil {
							t.Error(err)
							return
						}
						body, _ := io.ReadAll(res.Body)
						_ = res.Body.Close()
						if res.StatusCode != http.StatusCreated || !strings.Contains(string(body), text) {
							t.Errorf("%s %s", res.Status, body)
							return
						}
					}
				})
			}
			all.Wait()
			if n := network.refreshes.Load(); n < 3 || n > 12 {
				t.Errorf("got %d requests to /refresh; want 3 to 12, one or two for each token", n)
			}

			// All programs are signed out when the server ends the session.
			res, err := (&http.Client{Transport: programs[0]}).Post(p.url+"/logout/all", "", nil)
			if err != nil || res.StatusCode != http.StatusNoContent {
				t.Fatalf("got %v, %v", res, err)
			}
			_ = res.Body.Close()
			for _, program := range programs {
				res, err := (&http.Client{Transport: program}).Get(p.url + "/me")
				if err == nil {
					_ = res.Body.Close()
				}
				if !errors.Is(err, jwtclient.ErrSignedOut) {
					t.Errorf("after the session has ended: %v", err)
				}
			}
		})
	}
}

// TestTransportWithOAuth2 combines a Transport with the one of golang.org/x/oauth2. One
// of them is the base of the other, or the token source of the other. Exactly one
// Authorization field is sent.
func TestTransportWithOAuth2(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header["Authorization"] }))
	t.Cleanup(server.Close)
	ours := func(base http.RoundTripper) *jwtclient.Transport {
		transport := must[*jwtclient.Transport](t)(jwtclient.New(jwtclient.Config{Origin: server.URL, Base: base}))
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "ours"}); err != nil {
			t.Fatal(err)
		}
		return transport
	}
	theirs := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "theirs"})
	for _, test := range []struct {
		name      string
		transport http.RoundTripper
		want      string
	}{
		{"as the base of an oauth2.Transport", &oauth2.Transport{Source: theirs, Base: ours(nil)}, "Bearer theirs"},
		{"on an oauth2.Transport", ours(&oauth2.Transport{Source: theirs}), "Bearer theirs"},
		{"as a token source", &oauth2.Transport{Source: tokenSource{ours(nil)}}, "Bearer ours"},
		{"as a cached token source", &oauth2.Transport{Source: oauth2.ReuseTokenSource(nil, tokenSource{ours(nil)})}, "Bearer ours"},
	} {
		res, err := (&http.Client{Transport: test.transport}).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if len(got) != 1 || got[0] != test.want {
			t.Errorf("%s: got %q; want only %q", test.name, got, test.want)
		}
	}
	signedOut := must[*jwtclient.Transport](t)(jwtclient.New(jwtclient.Config{Origin: server.URL}))
	res, err := (&http.Client{Transport: &oauth2.Transport{Source: tokenSource{signedOut}}}).Get(server.URL)
	if err == nil {
		_ = res.Body.Close()
	}
	if !errors.Is(err, jwtclient.ErrSignedOut) {
		t.Errorf("signed out: %v", err)
	}
}
