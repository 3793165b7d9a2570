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

// A tokenSource is a Transport for who wants a token source: clients of
// golang.org/x/oauth2, and by its grpc/oauth also those of gRPC.
type tokenSource struct{ *jwtclient.Transport }

// Token implements [oauth2.TokenSource].
func (s tokenSource) Token() (*oauth2.Token, error) {
	access, expires, err := s.Transport.Token(context.Background())
	return &oauth2.Token{AccessToken: access, Expiry: expires}, err
}

// The session is the Transport's, and the client is that of golang.org/x/oauth2.
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
