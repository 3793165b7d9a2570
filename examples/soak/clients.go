package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// get sends a GET request to a route that renews, and counts the answer.
func (s *soak) get(ctx context.Context, c *client, v *visitor, url string) (status int, body string) {
	status, body, err := v.send(ctx, http.MethodGet, url, nil)
	if ctx.Err() != nil { // the end of the soak
		return 0, ""
	}
	if err != nil {
		s.mistake(c, "%s: %v", url, err)
		return 0, ""
	}
	s.answered(c, url, status)
	return status, body
}

// pause waits for d, or until ctx is done, which it reports as false.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// upTo returns a random duration of less than d.
func upTo(d time.Duration) time.Duration { return rand.N(d) } //nolint:gosec // not a secret

// oneOf returns a random number from 0 to n-1.
func oneOf(n int) int { return rand.IntN(n) } //nolint:gosec // not a secret

// newReader returns a client that reads files behind nginx. nginx drops the cookies
// of an answer to auth_request, so the files are never renewed, but pages are.
func (s *soak) newReader(t programs.T) *client {
	t.Helper()
	c := &client{name: "nginx auth_request"}
	v := newVisitor(t, s.sites.nginx, "reader")
	c.act = func(ctx context.Context) {
		for pause(ctx, upTo(time.Second)) {
			got, renewed, err := 0, 200, error(nil)
			for range 5 {
				c.requests++
				if got, _, err = v.send(ctx, http.MethodGet, s.sites.nginx+"/files/a.txt", nil); got != 401 {
					break
				}
				renewed, _ = s.get(ctx, c, v, s.sites.nginx+"/me")
			}
			if got != 200 && renewed != 503 && ctx.Err() == nil {
				s.mistake(c, "a file: got %d, error %v; want 200", got, err)
			}
		}
	}
	return c
}

// newProxied returns a browser that sends requests in parallel, most of them to the
// application that passes them on.
func (s *soak) newProxied(t programs.T) *client {
	t.Helper()
	c := &client{name: "Fiber proxy"}
	v := newVisitor(t, s.sites.app, "proxied")
	c.act = func(ctx context.Context) {
		for pause(ctx, upTo(1500*time.Millisecond)) {
			var all sync.WaitGroup
			for range 1 + oneOf(4) {
				all.Go(func() {
					if status, body := s.get(ctx, c, v, s.sites.fiber+"/proxied"); status == 200 && body != "from behind" {
						s.mistake(c, "got the answer %q", body)
					}
				})
			}
			if oneOf(3) == 0 {
				all.Go(func() { s.get(ctx, c, v, s.sites.app+"/me") })
			}
			all.Wait()
		}
	}
	return c
}

// longUpload is how long an upload takes, if the soak is long enough for two.
const longUpload = 30 * time.Second

// newUploader returns a browser that uploads something again and again, and sends
// other requests at the same time.
func (s *soak) newUploader(t programs.T) *client {
	t.Helper()
	c := &client{name: "upload of 30 s"}
	v := newVisitor(t, s.sites.app, "uploader")
	c.act = func(ctx context.Context) {
		var all sync.WaitGroup
		all.Go(func() {
			for pause(ctx, upTo(8*time.Second)) {
				s.send(ctx, c, v)
			}
		})
		all.Go(func() {
			for pause(ctx, upTo(2*time.Second)) {
				s.get(ctx, c, v, s.sites.app+"/me")
			}
		})
		all.Wait()
	}
	return c
}

// send uploads a body bit by bit, to one of the applications or through nginx.
func (s *soak) send(ctx context.Context, c *client, v *visitor) {
	body, write := io.Pipe()
	go func() {
		for end := time.Now().Add(s.upload); time.Now().Before(end) && pause(ctx, 200*time.Millisecond); {
			_, _ = fmt.Fprintln(write, "a line of a long file")
		}
		_ = write.CloseWithError(ctx.Err()) // EOF if the upload is complete
	}()
	site := []string{s.sites.app, s.sites.fiber, s.sites.nginx}[oneOf(3)]
	status, _, err := v.send(ctx, http.MethodPost, site+"/upload", body)
	_ = body.Close()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.mistake(c, "upload to %s: %v", site, err)
		return
	}
	s.answered(c, "upload to "+site, status)
}

// newDying returns a client whose connections break between a request and its answer.
// It keeps the cookies that it had, and goes on with them at once or much later.
func (s *soak) newDying(t programs.T) *client {
	t.Helper()
	c := &client{name: "dying client"}
	v := newVisitor(t, s.sites.app, "dying")
	c.act = func(ctx context.Context) {
		for pause(ctx, upTo(6*time.Second)) {
			for range oneOf(3) {
				c.requests++
				if err := die(s.sites.app, v); err != nil {
					s.mistake(c, "%v", err)
				}
				pause(ctx, []time.Duration{0, 0, upTo(time.Second), upTo(15 * time.Second)}[oneOf(4)])
			}
			s.get(ctx, c, v, s.sites.app+"/me")
		}
	}
	return c
}

// die sends a request, and closes the connection before the answer has arrived.
func die(app string, v *visitor) error {
	address, err := url.Parse(app)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "GET /me HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", address.Host, v.header())
	time.Sleep(upTo(3 * time.Millisecond)) // the server begins to work
	_ = conn.Close()
	return err
}
