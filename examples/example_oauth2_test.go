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

// A client of golang.org/x/oauth2 can use the session of a Transport.
func Example_oauth2() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Authorization"))
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
	res, err := client.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	_ = res.Body.Close()
	// Output:
	// Bearer an-access-token
}
