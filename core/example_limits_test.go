package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A client that guesses passwords has to wait. This example never resets its counts, and
// keeps them in memory. An application would reset them after a while, and share them
// between its processes.
func ExampleSessionConfig_throttle() {
	var mu sync.Mutex
	attempts := make(map[string]int)
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject: loadUser,
			Throttle: func(_ context.Context, req jwtgate.Request, username string) (time.Duration, error) {
				mu.Lock()
				defer mu.Unlock()
				client := username + " at " + req.First("X-Real-IP") // set by your proxy
				if attempts[client]++; attempts[client] > 2 {
					return time.Minute, nil
				}
				return 0, nil
			},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	login := handle(auth.Token(checkPassword))
	for range 3 {
		form := url.Values{"username": {"alice"}, "password": {"looking-glass"}}
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Real-IP", "192.0.2.1")
		w := httptest.NewRecorder()
		login(w, r)
		fmt.Printf("%d, Retry-After: %q\n", w.Code, w.Header().Get("Retry-After"))
	}
	// Output:
	// 401, Retry-After: ""
	// 401, Retry-After: ""
	// 429, Retry-After: "60"
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
