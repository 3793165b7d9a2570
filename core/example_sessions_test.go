package jwtgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

var exampleSecret = []byte("a secret of at least 32 bytes, from the environment")

func loadUser(_ context.Context, subject string) (jwtgate.Grant, error) {
	if subject != "alice" {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}

// checkPassword accepts one user. An application compares with a password hash.
func checkPassword(_ context.Context, username, password string) (subject string, ok bool, err error) {
	return username, username == "alice" && password == "wonderland", nil
}

// handle does what the function Handle of an adapter does, such as that of package nethttp.
func handle(endpoint jwtgate.Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		send(w, endpoint(r.Context(), jwtgate.HTTPRequest(r)))
	}
}

func send(w http.ResponseWriter, res jwtgate.Response) {
	res.CopyHeader(w.Header())
	w.WriteHeader(res.Status)
	_, _ = w.Write(res.Body)
}

// Login, refresh and logout for programs and apps.
func ExampleAuth_Token() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{Subject: loadUser},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	mux := http.NewServeMux()
	mux.Handle("/token", handle(auth.Token(checkPassword)))
	mux.Handle("/refresh", handle(auth.Refresh))
	mux.Handle("/logout", handle(auth.Logout))
	server := httptest.NewServer(mux)
	defer server.Close()

	// The requests of a client.
	var tokens struct {
		Refresh string `json:"refresh_token"`
		Expires int    `json:"expires_in"`
	}
	post := func(path string, parameters url.Values) {
		res, err := http.PostForm(server.URL+path, parameters)
		if err != nil {
			log.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode == http.StatusOK {
			err = json.NewDecoder(res.Body).Decode(&tokens)
		}
		fmt.Println(path, res.StatusCode, tokens.Expires, err)
	}
	post("/token", url.Values{"username": {"alice"}, "password": {"wonderland"}})
	post("/refresh", url.Values{"refresh_token": {tokens.Refresh}})
	post("/logout", url.Values{"refresh_token": {tokens.Refresh}})
	post("/refresh", url.Values{"refresh_token": {tokens.Refresh}})
	// Output:
	// /token 200 900 <nil>
	// /refresh 200 900 <nil>
	// /logout 204 900 <nil>
	// /refresh 401 900 <nil>
}

// Users can sign in by other means than a password: here, by a link in an email.
func ExampleAuth_SignIn() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{Subject: loadUser},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	var links sync.Map // from the links that were sent and not followed yet to subjects
	links.Store("8f14e45f", "alice")

	follow := func(w http.ResponseWriter, r *http.Request) {
		subject, sent := links.LoadAndDelete(r.FormValue("link")) // for one of the requests only
		if !sent {
			http.Error(w, "This link was used before.", http.StatusGone)
			return
		}
		tokens, err := auth.SignIn(r.Context(), jwtgate.HTTPRequest(r), subject.(string))
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			send(w, refusal.Response())
			return
		}
		send(w, tokens.Response()) // for a browser, send tokens.Cookies() and a redirect
	}

	var requests sync.WaitGroup
	answers := make(chan string, 2)
	for range 2 {
		requests.Go(func() { // servers call handlers concurrently
			w := httptest.NewRecorder()
			follow(w, httptest.NewRequest(http.MethodPost, "/follow?link=8f14e45f", nil))
			answers <- fmt.Sprint(w.Code, " ", w.Header().Get("Content-Type"))
		})
	}
	requests.Wait()
	fmt.Println(<-answers)
	fmt.Println(<-answers)
	// Unordered output:
	// 200 application/json
	// 410 text/plain; charset=utf-8
}

// After a change of the password, the session in which it was changed continues, and all
// others end.
func ExampleAuth_EndSessions() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{Subject: loadUser},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	ctx := context.Background()
	for _, device := range []string{"phone", "laptop", "library"} {
		if _, err := auth.SignIn(ctx, jwtgate.Request{Header: http.Header{"User-Agent": {device}}}, "alice"); err != nil {
			log.Fatal(err)
		}
	}
	sessions, _, err := auth.Sessions(ctx, "alice", "")
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range sessions {
		if s.UserAgent == "laptop" { // a handler compares with the SessionID of its Identity
			if err := auth.EndSessions(ctx, "alice", s.ID); err != nil {
				log.Fatal(err)
			}
		}
	}
	sessions, _, err = auth.Sessions(ctx, "alice", "")
	fmt.Println(len(sessions), sessions[0].UserAgent, err)
	// Output: 1 laptop <nil>
}

// Events go to an audit log. Some of them are reasons for an alarm.
func ExampleObserver_events() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(exampleSecret),
		Sessions: &jwtgate.SessionConfig{Subject: loadUser, SingleUse: true},
		Observers: []jwtgate.Observer{{Event: func(_ context.Context, e jwtgate.Event) {
			switch e.Kind {
			case jwtgate.EventReused, jwtgate.EventForged, jwtgate.EventHealed, jwtgate.EventStoreDown, jwtgate.EventTooLarge:
				fmt.Println("ALARM:", e.Kind, e.Subject, e.Err)
			case jwtgate.EventLoginFailed, jwtgate.EventThrottled:
				fmt.Println(e.Kind, e.Username, "from", e.Address)
			default:
				fmt.Println(e.Kind, e.Subject)
			}
		}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	form := url.Values{"username": {"alice"}, "password": {"looking-glass"}}
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	handle(auth.Token(checkPassword))(httptest.NewRecorder(), r)

	ctx := context.Background()
	tokens, err := auth.SignIn(ctx, jwtgate.Request{}, "alice")
	if err != nil {
		log.Fatal(err)
	}
	refresh := func(token string) (next string) {
		res := auth.Refresh(ctx, jwtgate.Request{
			Method: http.MethodPost,
			Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   strings.NewReader("refresh_token=" + token),
		})
		var body struct {
			Refresh string `json:"refresh_token"`
		}
		_ = json.Unmarshal(res.Body, &body)
		return body.Refresh
	}
	refresh(refresh(tokens.Refresh)) // the user
	refresh(tokens.Refresh)          // a thief who copied the first token
	// Output:
	// login_failed alice from 192.0.2.1
	// signed_in alice
	// rotated alice
	// rotated alice
	// ALARM: reused alice <nil>
}
