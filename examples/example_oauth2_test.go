package examples

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// A tokenSource makes a Transport an [oauth2.TokenSource], for clients of
// golang.org/x/oauth2 and, with its package grpc/oauth, for gRPC.
type tokenSource struct{ *jwtclient.Transport }

// Token implements [oauth2.TokenSource].
func (s tokenSource) Token() (*oauth2.Token, error) {
	access, expires, err := s.Transport.Token(context.Background())
	return &oauth2.Token{AccessToken: access, Expiry: expires}, err
}

// A client of golang.org/x/oauth2 can use the session of a Transport. Unlike a client
// with the Transport itself, it sends the access token to every host that it is
// redirected to, so it must not follow redirects to other hosts. Use it for the API
// only.
func Example_oauth2() {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("another host:", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("the API:", r.Header.Get("Authorization"))
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		log.Fatal(err)
	}
	err = transport.SetTokens(context.Background(), jwtclient.Tokens{Access: "an-access-token", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		log.Fatal(err)
	}

	client := oauth2.NewClient(context.Background(), tokenSource{transport})
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != via[0].URL.Scheme || r.URL.Host != via[0].URL.Host || len(via) >= 10 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	for _, path := range []string{"/", "/away"} {
		res, err := client.Get(server.URL + path)
		if err != nil {
			log.Fatal(err)
		}
		_ = res.Body.Close()
		fmt.Println(res.Status)
	}
	// Output:
	// the API: Bearer an-access-token
	// 200 OK
	// the API: Bearer an-access-token
	// 307 Temporary Redirect
}
