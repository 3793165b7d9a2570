// Command client signs in to an example server and calls GET /me from many
// goroutines at once. It prints the number of renewals, of which there is only one
// at a time for all goroutines. Start both programs in the root of the repository:
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
	pause   = 100 * time.Millisecond // between two calls of a goroutine
	timeout = 20 * time.Second       // for a call, including the renewal that it waits for
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	origin := flag.String("url", "http://127.0.0.1:8080", "the `origin` of the server")
	username := flag.String("username", "alice", "the `name` of the user")
	password := flag.String("password", "wonderland", "the `password`; set $PASSWORD instead to hide it from other users of this machine")
	duration := flag.Duration("duration", time.Minute, "how long to send requests")
	goroutines := flag.Int("goroutines", 100, "the number of goroutines that send requests")
	flag.Parse()
	if secret := os.Getenv("PASSWORD"); secret != "" {
		*password = secret
	}

	network := http.DefaultTransport.(*http.Transport).Clone()
	network.MaxIdleConnsPerHost = *goroutines // so that connections are reused
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
	fmt.Printf("Signed in to %s as %s.\n", *origin, *username)

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

// call sends a request. It needs no code for tokens: the transport of client adds the
// access token and renews it.
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

// A counter counts the refreshes that are sent through it, and the calls and their errors
// that are added to it.
type counter struct {
	base      http.RoundTripper
	refreshes atomic.Int64
	requests  atomic.Int64
	failures  atomic.Int64
	failure   atomic.Pointer[error] // the first error
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

// sleep waits for d. It returns false if ctx is done before that.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
