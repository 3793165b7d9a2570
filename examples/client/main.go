// Command client signs in at an example server and calls GET /me from many
// goroutines at once, to show how few renewals that takes. From the repository
// root, in two terminals:
//
//	ACCESS_TTL=2s go run ./examples/nethttp
//	go run ./examples/client
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

const (
	pause   = 100 * time.Millisecond // between the calls of a goroutine
	timeout = 20 * time.Second       // of a call, with all that it waits for
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	origin := flag.String("url", "http://127.0.0.1:8080", "the server")
	username := flag.String("username", "alice", "who signs in")
	password := flag.String("password", "wonderland", "and how; $PASSWORD wins, and is not for other users to see")
	duration := flag.Duration("duration", time.Minute, "how long")
	goroutines := flag.Int("goroutines", 100, "how many at once")
	flag.Parse()
	if secret := os.Getenv("PASSWORD"); secret != "" {
		*password = secret
	}

	network := http.DefaultTransport.(*http.Transport).Clone()
	network.MaxIdleConnsPerHost = *goroutines // not a new connection for every call
	counted := &counter{base: network}
	transport, err := jwtclient.New(jwtclient.Config{Origin: *origin, Base: counted})
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport, Timeout: timeout}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := transport.SignIn(ctx, *username, *password); err != nil {
		return err
	}
	fmt.Printf("Signed in at %s as %s.\n", *origin, *username)

	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, *duration)
	defer cancel()
	var all sync.WaitGroup
	for range *goroutines {
		all.Go(func() {
			for sleep(ctx, pause) {
				counted.add(call(client, *origin+"/me"))
			}
		})
	}
	for sleep(ctx, time.Second) {
		fmt.Println(counted.line(begun))
	}
	all.Wait()
	fmt.Println("Done:", counted.line(begun))

	if err := transport.SignOut(context.Background()); err != nil {
		return err
	}
	return counted.first()
}

// call is what this is about: a request like any other, without a word on tokens.
func call(client *http.Client, url string) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, res.Status)
	}
	return nil
}

// A counter counts what passes through it, and what comes of it.
type counter struct {
	base      http.RoundTripper
	refreshes atomic.Int64
	requests  atomic.Int64
	failures  atomic.Int64
	failure   atomic.Pointer[error] // the first
}

// RoundTrip implements [http.RoundTripper].
func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == "/refresh" {
		c.refreshes.Add(1)
	}
	return c.base.RoundTrip(req)
}

func (c *counter) add(err error) {
	c.requests.Add(1)
	if err != nil {
		c.failures.Add(1)
		c.failure.CompareAndSwap(nil, &err)
	}
}

func (c *counter) line(begun time.Time) string {
	return fmt.Sprintf("%3.0f s  %6d requests  %d failures  %d refreshes",
		time.Since(begun).Seconds(), c.requests.Load(), c.failures.Load(), c.refreshes.Load())
}

func (c *counter) first() error {
	if err := c.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// sleep waits for d, and reports whether ctx lasts that long.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
