package jwtgate_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

const (
	provider    = "https://idp.example"
	providerSet = provider + "/keys"
)

// A page is the answer of an address.
type page struct {
	status int // 0 for 200
	header http.Header
	body   string
	more   bool          // the body continues with spaces forever
	after  time.Duration // to the first byte
	drip   time.Duration // between two bytes
	err    error         // instead of an answer
}

// web is an http.RoundTripper that answers with pages. A test can change them at any
// time.
type web struct {
	mu    sync.Mutex
	pages map[string]page
	asked []string
	seen  []http.Header
	lag   time.Duration // between the end of a request's context and the end of the request
	live  atomic.Int64  // requests in progress
	open  atomic.Int64  // bodies that are not closed
}

func newWeb(pages map[string]page) *web { return &web{pages: pages} }

func (w *web) set(address string, p page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[address] = p
}

// fetches returns the number of requests for address.
func (w *web) fetches(address string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, asked := range w.asked {
		if asked == address {
			n++
		}
	}
	return n
}

func (w *web) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.asked, " ")
}

func (w *web) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	p, known := w.pages[req.URL.String()]
	w.asked = append(w.asked, req.URL.String())
	w.seen = append(w.seen, req.Header.Clone())
	w.mu.Unlock()
	w.live.Add(1)
	defer w.live.Add(-1)
	select {
	case <-time.After(p.after):
	case <-req.Context().Done():
		time.Sleep(w.lag)
		return nil, req.Context().Err()
	}
	if p.err != nil {
		return nil, p.err
	}
	if !known {
		p.status = http.StatusNotFound
	}
	if p.status == 0 {
		p.status = http.StatusOK
	}
	w.open.Add(1)
	return &http.Response{
		StatusCode: p.status, Header: p.header, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		Body: &dripping{req.Context(), strings.NewReader(p.body), p.drip, p.more, &w.open},
	}, nil
}

// dripping is a body that arrives slowly.
type dripping struct {
	ctx   context.Context
	body  io.Reader
	every time.Duration
	more  bool
	open  *atomic.Int64 // one less after Close
}

func (d *dripping) Close() error {
	d.open.Add(-1)
	return nil
}

func (d *dripping) Read(b []byte) (int, error) {
	if d.every > 0 {
		select {
		case <-time.After(d.every):
			b = b[:1]
		case <-d.ctx.Done():
			return 0, d.ctx.Err()
		}
	}
	n, err := d.body.Read(b)
	if err == io.EOF && d.more {
		return copy(b, " "), nil
	}
	return n, err
}

// setOf returns the JWK Set of the published keys.
func setOf(tb testing.TB, published ...keys.Key) page {
	tb.Helper()
	return page{body: string(newVerifier(tb, keys.Set(published)).JWKS(tb.Context(), jwtgate.Request{Method: "GET"}).Body)}
}

// diary collects events.
type diary struct {
	mu     sync.Mutex
	events []jwtgate.Event
}

func (d *diary) write(_ context.Context, e jwtgate.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

// kinds returns the number of events of each kind, in alphabetical order.
func (d *diary) kinds() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	count := map[jwtgate.EventKind]int{}
	for _, e := range d.events {
		count[e.Kind]++
	}
	var kinds []string
	for kind, n := range count {
		kinds = append(kinds, fmt.Sprintf("%s×%d", kind, n))
	}
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}

// trusting returns an Auth that accepts its own tokens and those of the provider in web.
func trusting(tb testing.TB, web *web, remote keys.Remote, changes ...func(*jwtgate.Config)) *jwtgate.Auth {
	tb.Helper()
	if remote.URL == "" {
		remote.URL = providerSet
	}
	if remote.Transport == nil {
		remote.Transport = web
	}
	auth := newVerifier(tb, keys.HS256(secret), append([]func(*jwtgate.Config){func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: provider, Keys: remote}}
	}}, changes...)...)
	tb.Cleanup(auth.Close)
	return auth
}

// theirs returns a request with a token of the provider, signed with the key called kid.
func theirs(tb testing.TB, kid string, changes ...string) jwtgate.Request {
	tb.Helper()
	header := `{"alg":"ES256"}`
	if kid != "" {
		header = `{"alg":"ES256","kid":` + strconv.Quote(kid) + `}`
	}
	return withBearer(jwtgatetest.Sign(tb, "ES256", p256Key, header, claims(append([]string{"iss", strconv.Quote(provider)}, changes...)...)))
}

func newEd25519() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(rand.Text() + rand.Text())[:ed25519.SeedSize])
}

func es256(kid string) keys.Key { return keys.ES256(&p256Key.PublicKey).WithID(kid) }

// took returns the duration of f.
func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
