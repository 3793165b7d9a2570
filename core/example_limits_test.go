package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A client that guesses passwords has to wait, even if the third one is right.
func ExamplePasswordLimiter() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject: loadUser,
			Limiter: &jwtgate.PasswordLimiter{Failures: 2},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	login := handle(auth.Token(checkPassword))
	for _, password := range []string{"looking-glass", "tea", "wonderland"} {
		form := url.Values{"username": {"alice"}, "password": {password}}
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		login(w, r)
		fmt.Printf("%d, Retry-After: %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	// Output:
	// 401, Retry-After: ""
	// 401, Retry-After: ""
	// 429, Retry-After: "30"
}

// A service of many processes counts wrong passwords where all of them can: here, in a map
// that stands for a shared store. In the store, let the counts expire.
type sharedLimiter struct {
	mu     sync.Mutex
	counts map[string]int
}

// Begin counts the attempt before the password is checked, so that parallel guesses are not
// more than others, and takes it back if the password was right.
func (l *sharedLimiter) Begin(_ context.Context, login jwtgate.LoginAttempt) (done func(wrong bool), wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts[login.Username] >= 2 {
		return nil, time.Minute, nil
	}
	l.counts[login.Username]++
	return func(wrong bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !wrong {
			l.counts[login.Username]--
		}
	}, 0, nil
}

func ExampleLoginLimiter() {
	config := jwtgate.SessionConfig{
		Subject: loadUser,
		Limiter: &sharedLimiter{counts: make(map[string]int)},
	}
	for range 3 {
		done, wait, err := config.Limiter.Begin(context.Background(), jwtgate.LoginAttempt{Username: "alice"}) // Auth.Login does this
		if wait == 0 && err == nil {
			done(true)
		}
		fmt.Println(wait, err)
	}
	// Output:
	// 0s <nil>
	// 0s <nil>
	// 1m0s <nil>
}

// Behind a proxy, the peer of every connection is the proxy. It tells the client's address
// in a header field, which is read only if the request came from the proxy.
func ExampleConfig_clientAddress() {
	proxy := netip.MustParseAddr("10.0.0.1")
	config := jwtgate.Config{
		ClientAddress: func(req jwtgate.Request) netip.Addr {
			if peer := req.PeerAddr(); peer != proxy {
				return peer
			}
			client, _ := netip.ParseAddr(req.First("X-Real-IP")) // the proxy sets it, whatever the client sent
			return client
		},
	}
	for _, peer := range []string{"10.0.0.1:4711", "192.0.2.66:4711"} {
		r := httptest.NewRequest(http.MethodPost, "/login", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Real-IP", "192.0.2.1")
		fmt.Println(config.ClientAddress(jwtgate.HTTPRequest(r)))
	}
	// Output:
	// 192.0.2.1
	// 192.0.2.66
}

// Without RefuseAtMax, the second login would end the session of the first.
func ExampleSessionConfig_refuseAtMax() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject:     loadUser,
			MaxSessions: 1,
			RefuseAtMax: true,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	for range 2 {
		_, err := auth.SignIn(context.Background(), jwtgate.Request{}, "alice")
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			fmt.Println(refusal.Status, refusal.Code)
			return
		}
		fmt.Println("signed in")
	}
	// Output:
	// signed in
	// 403 too_many_sessions
}
