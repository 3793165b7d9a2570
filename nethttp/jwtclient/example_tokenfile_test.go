package jwtclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// With a TokenFile, a program is still signed in when it is started again.
func ExampleTokenFile() {
	server := serveExample()
	defer server.Close()
	folder, err := os.MkdirTemp("", "example") // a program uses a folder in os.UserConfigDir
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()

	for _, start := range []string{"first", "second"} {
		transport, err := jwtclient.New(jwtclient.Config{
			Origin: server.URL,
			Store:  jwtclient.TokenFile(filepath.Join(folder, "app", "tokens.json")),
		})
		if err != nil {
			log.Fatal(err)
		}
		_, _, err = transport.Token(context.Background())
		if errors.Is(err, jwtclient.ErrSignedOut) {
			fmt.Println(start, "start: sign in")
			err = transport.SignIn(context.Background(), "alice", "wonderland")
		}
		if err != nil {
			log.Fatal(err)
		}
		show(&http.Client{Transport: transport}, server.URL+"/api/hello")
	}
	// Output:
	// first start: sign in
	// 200 hello alice
	// 200 hello alice
}
