package examples

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// robot is the client ID at the provider. It equals the servers' audience, so that
// an ID token differs from an access token only in the marks of an ID token.
const robot = "https://api.example.test"

// A provider is a running OpenID Connect provider (npm package oidc-provider).
type provider struct {
	url   string
	input io.WriteCloser
	lines *bufio.Reader
	ended chan error
}

// startProvider starts a provider. It stops when the test ends.
func startProvider(t *testing.T) *provider {
	t.Helper()
	cmd := peer(t, "provider.mjs", robot)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &provider{input: input, lines: bufio.NewReader(output), ended: make(chan error, 1)}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	p.url = p.line(t)
	late.Stop()
	go func() { p.ended <- cmd.Wait() }()
	t.Cleanup(func() {
		p.stop(t)
		_ = cmd.Process.Kill() // in case that stop has failed
	})
	return p
}

func (p *provider) line(t *testing.T) string {
	t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the provider printed %q, %v; want a line", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// publish makes the provider publish keys, key IDs with spaces between them, and
// sign with the first one.
func (p *provider) publish(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(p.input, keys+"\n"); err != nil {
		t.Fatal(err)
	}
	if got := p.line(t); got != keys {
		t.Fatalf("the provider printed %q; want %q", got, keys)
	}
}

// stop stops the provider and waits until its process has ended.
func (p *provider) stop(t *testing.T) {
	t.Helper()
	_ = p.input.Close() // it may be closed already
	select {
	case err := <-p.ended:
		p.ended <- err
	case <-time.After(patience):
		t.Error("the provider did not stop")
	}
}

// token returns the access token or the ID token that the provider issues for grant.
func (p *provider) token(t *testing.T, grant string, more url.Values) string {
	t.Helper()
	form := url.Values{"client_id": {robot}, "client_secret": {"secret"}, "grant_type": {grant}}
	for name, values := range more {
		form[name] = values
	}
	res, err := client.PostForm(p.url+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		AccessToken string `json:"access_token"`
		IDToken     string `json:"id_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.AccessToken+got.IDToken == "" {
		t.Fatalf("the provider answered %s with %+v, %v; want a token", res.Status, got, err)
	}
	return got.AccessToken + got.IDToken
}

func (p *provider) access(t *testing.T, audience string) string {
	return p.token(t, "client_credentials", url.Values{"resource": {audience}})
}

// TestOIDC checks that all servers accept the access tokens of a real provider,
// but not its ID tokens or access tokens for another audience.
func TestOIDC(t *testing.T) {
	idp := startProvider(t)
	servers := startAll(t, "JWT_KEY="+secret, "OIDC_ISSUER="+idp.url)
	good, wrong, id := idp.access(t, robot), idp.access(t, "https://other.example.test"), idp.token(t, "id_token", nil)
	for _, p := range servers {
		p.want(t, 200, `"iss":"`+idp.url+`"`, "GET", "/me", "", bearer(good))
		p.want(t, 200, "Welcome, "+robot, "GET", "/admin", "", bearer(good)) // by the roles in the token
		p.want(t, 401, "token_invalid", "GET", "/me", "", bearer(wrong))
		p.want(t, 401, "token_invalid", "GET", "/me", "", bearer(id))
		p.want(t, 200, `"sub":"alice"`, "GET", "/me", "", bearer(login(t, p, alice)))
		p.want(t, 403, "insufficient_scope", "GET", "/sessions", "", bearer(good)) // only the server's own users have sessions
	}
	other := start(t, "nethttp", "JWT_KEY="+secret, "OIDC_ISSUER="+idp.url, "OIDC_AUDIENCE=https://other.example.test")
	other.want(t, 200, "", "GET", "/me", "", bearer(wrong))
	other.want(t, 401, "token_invalid", "GET", "/me", "", bearer(good))
}

// TestOIDCDown checks the servers while the provider is down. Servers that have
// fetched its keys accept its tokens; the others answer 503 to its tokens. All
// servers still accept their own tokens.
func TestOIDCDown(t *testing.T) {
	idp := startProvider(t)
	address := strings.TrimPrefix(idp.url, "http://")
	servers := startAll(t, "JWT_KEY="+secret, "OIDC_ISSUER="+idp.url)
	token := idp.access(t, robot)
	for _, p := range servers[:2] {
		p.want(t, 200, "", "GET", "/me", "", bearer(token))
	}
	idp.stop(t)
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Fatal("the provider still accepts connections")
	}
	for i, p := range servers {
		if i < 2 {
			p.want(t, 200, "", "GET", "/me", "", bearer(token))
		} else {
			p.want(t, 503, "Retry-After", "GET", "/me", "", bearer(token))
		}
		p.want(t, 200, "", "GET", "/me", "", bearer(login(t, p, alice)))
	}
}

// TestOIDCRotation changes the keys of the provider under load, and checks that no
// token signed with a published key is refused.
func TestOIDCRotation(t *testing.T) {
	idp := startProvider(t)
	servers := startAll(t, "JWT_KEY="+secret, "OIDC_ISSUER="+idp.url)
	first := idp.access(t, robot)
	for _, p := range servers {
		p.want(t, 200, "", "GET", "/me", "", bearer(first))
	}
	var current atomic.Value // the token for the next requests
	current.Store(first)
	served := make([]atomic.Int64, len(servers))
	over := make(chan struct{})
	var load sync.WaitGroup
	for i, p := range servers {
		load.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if got := get(p.url+"/me", current.Load().(string)); got != "200 OK" {
					t.Errorf("%s: a good token: got %s; want 200 OK", p.name, got)
				}
				served[i].Add(1)
			}
		})
	}
	serve := func(more int64) {
		for i := range served {
			for until, late := served[i].Load()+more, time.Now().Add(patience); served[i].Load() < until && time.Now().Before(late); {
				time.Sleep(time.Millisecond)
			}
		}
	}
	serve(20)
	// The new key signs at once, so the servers have not fetched it before.
	idp.publish(t, "second first")
	second := idp.access(t, robot)
	current.Store(second)
	serve(20)
	idp.publish(t, "second")
	serve(20)
	close(over)
	load.Wait()
	for _, p := range servers {
		p.want(t, 200, "", "GET", "/me", "", bearer(second))
	}
}

// get returns the status of a request with token.
func get(address, token string) string {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Sprint(err)
	}
	return res.Status
}
