package jwtgate_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// A desk is where programs sign in that keep their tokens themselves: an Auth
// with a clock and a store that tests can take hold of. Every answer of it is
// held to what holds for all answers, and when the test ends, nothing that was
// logged, told or refused may have a token or a key in it.
type desk struct {
	*jwtgate.Auth

	tb     testing.TB
	config jwtgate.Config
	clock  *jwtgatetest.Clock // of the Auth and the store
	store  *faultyStore
	book   *deskBook // what was told and handed out

	mu      sync.Mutex
	subject func(ctx context.Context, subject string) (jwtgate.Grant, error)
}

const (
	deskIssuer   = "https://auth.example"
	deskAudience = "https://api.example"
)

var (
	deskSecret        = []byte("signs the access tokens of the desk, and nothing else")
	deskRefreshSecret = []byte("makes the refresh tokens of the desk, and nothing else")
	deskOpens         = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

	errDesk = errors.New("trouble behind the desk")
)

// newDesk returns a desk with all defaults but what change does to them.
func newDesk(tb testing.TB, change ...func(*jwtgate.Config)) *desk {
	tb.Helper()
	clock := jwtgatetest.NewClock(deskOpens)
	d := &desk{tb: tb, clock: clock, store: &faultyStore{Store: session.NewMemory(0, clock.Now)}, book: &deskBook{}}
	tb.Cleanup(func() { d.book.check(tb) })
	d.config = jwtgate.Config{
		Issuer:   deskIssuer,
		Audience: deskAudience,
		Keys:     keys.HS256(deskSecret),
		Events:   d.book.note,
		Logger:   slog.New(slog.NewTextHandler(d.book, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:      clock.Now,
	}
	d.open(&jwtgate.SessionConfig{}, change)
	return d
}

// another returns a desk of the same house: another process, with the same keys
// and the same store.
func (d *desk) another(change ...func(*jwtgate.Config)) *desk {
	d.tb.Helper()
	other := &desk{tb: d.tb, config: d.config, clock: d.clock, store: d.store, book: d.book}
	sessions := *d.config.Sessions
	other.open(&sessions, change)
	return other
}

// open makes d's Auth of its configuration.
func (d *desk) open(sessions *jwtgate.SessionConfig, change []func(*jwtgate.Config)) {
	d.tb.Helper()
	sessions.Store = d.store
	sessions.Keys = [][]byte{deskRefreshSecret}
	sessions.Subject = d.load
	d.config.Sessions = sessions
	for _, f := range change {
		f(&d.config)
	}
	auth, err := jwtgate.New(d.config)
	if err != nil {
		d.tb.Fatal(err)
	}
	d.tb.Cleanup(auth.Close)
	d.Auth = auth
}

// load is the desk's subject loader: that of loads, or one that knows everyone
// as a user.
func (d *desk) load(ctx context.Context, subject string) (jwtgate.Grant, error) {
	d.mu.Lock()
	load := d.subject
	d.mu.Unlock()
	if load != nil {
		return load(ctx, subject)
	}
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}

func (d *desk) loads(f func(ctx context.Context, subject string) (jwtgate.Grant, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.subject = f
}

// deskUsers are good for the user of any name whose password is "wonderland".
func deskUsers(_ context.Context, username, password string) (string, bool, error) {
	if username == "trouble" {
		return "", false, errDesk
	}
	return username, password == "wonderland", nil
}

// formOf and jsonOf return a POST with parameters: name, value, name, value.
func formOf(parameters ...string) jwtgate.Request {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	return bodyOf("application/x-www-form-urlencoded", values.Encode())
}

func jsonOf(parameters ...string) jwtgate.Request {
	members := map[string]string{}
	for i := 0; i < len(parameters); i += 2 {
		members[parameters[i]] = parameters[i+1]
	}
	text, _ := json.Marshal(members)
	return bodyOf("application/json", string(text))
}

func bodyOf(contentType, body string) jwtgate.Request {
	return jwtgate.Request{Method: http.MethodPost, Path: "/", Header: http.Header{"Content-Type": {contentType}}, Body: strings.NewReader(body)}
}

// bearing returns req with an Authorization header that has the access token.
func bearing(access string, req jwtgate.Request) jwtgate.Request {
	return withField(req, "Authorization", "Bearer "+access)
}

// A deskReply is an answer as a program reads it.
type deskReply struct {
	jwtgate.Response

	text string // the answer in a line: "200", "204", "401 refresh_invalid invalid_grant"

	Access, Refresh string
	Expires         time.Duration
}

// The table of refusals: the status and the challenge that go with a code.
var deskTable = map[jwtgate.Code]struct {
	status    int // 0: several
	challenge string
}{
	jwtgate.CodeMalformedCredentials: {400, `Bearer error="invalid_request"`},
	jwtgate.CodeTokenMissing:         {401, `Bearer`},
	jwtgate.CodeTokenInvalid:         {401, `Bearer error="invalid_token"`},
	jwtgate.CodeTokenExpired:         {401, `Bearer error="invalid_token"`},
	jwtgate.CodeTokenRevoked:         {401, `Bearer error="invalid_token"`},
	jwtgate.CodeInsufficientScope:    {403, `Bearer error="insufficient_scope"`},
	jwtgate.CodeUnavailable:          {503, ``},
	jwtgate.CodeMalformedRequest:     {0, ``},
	jwtgate.CodeInvalidCredentials:   {401, `Bearer`},
	jwtgate.CodeRefreshMissing:       {401, `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshInvalid:       {401, `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshExpired:       {401, `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshRevoked:       {401, `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshReused:        {401, `Bearer error="invalid_token"`},
	jwtgate.CodeTooManySessions:      {403, ``},
	jwtgate.CodeNotFound:             {404, ``},
	jwtgate.CodeMethodNotAllowed:     {405, ``},
	jwtgate.CodeThrottled:            {429, ``},
}

// ask has endpoint answer req, and checks what holds for every answer.
func (d *desk) ask(endpoint jwtgate.Endpoint, req jwtgate.Request) deskReply {
	d.tb.Helper()
	return d.read(endpoint(d.tb.Context(), req))
}

// read checks what holds for every answer and reads it.
func (d *desk) read(res jwtgate.Response) deskReply {
	d.tb.Helper()
	r := deskReply{Response: res, text: fmt.Sprint(res.Status)}
	if got := headerOf(res, "Cache-Control"); got != "no-store" {
		d.tb.Errorf("Cache-Control of %s is %q; want no-store", r.text, got)
	}
	if got := headerOf(res, "Set-Cookie"); got != "" {
		d.tb.Errorf("an answer to a program sets the cookie %q", got)
	}
	for _, f := range res.Header {
		if strings.ContainsAny(f.Name+f.Value, "\r\n\x00") {
			d.tb.Errorf("header field %q has the value %q", f.Name, f.Value)
		}
	}
	switch {
	case res.Status == http.StatusNoContent:
		if len(res.Header) != 1 || len(res.Body) != 0 {
			d.tb.Errorf("answer is %+v; want no body", res)
		}
	case res.Status == http.StatusOK:
		if got := headerOf(res, "Content-Type"); got != "application/json" || len(res.Header) != 2 {
			d.tb.Errorf("header is %v; want JSON and no-store", res.Header)
		}
		if bytes.HasPrefix(res.Body, []byte("{")) {
			var body struct {
				Access  string `json:"access_token"`
				Type    string `json:"token_type"`
				Expires int    `json:"expires_in"`
				Refresh string `json:"refresh_token"`
			}
			if err := strictly(res.Body, &body); err != nil || body.Access == "" || body.Refresh == "" || body.Type != "Bearer" || body.Expires <= 0 {
				d.tb.Errorf("answer is not that of RFC 6749 (%v): %s", err, res.Body)
			}
			r.Access, r.Refresh, r.Expires = body.Access, body.Refresh, time.Duration(body.Expires)*time.Second
			d.book.hand(r.Access, r.Refresh)
		}
	default:
		r.text += d.readRefusal(res)
	}
	return r
}

// readRefusal returns code and error of a refusal.
func (d *desk) readRefusal(res jwtgate.Response) string {
	d.tb.Helper()
	var problem struct {
		Type, Title, Detail string
		Status              int
		Code                jwtgate.Code
		Error               string
	}
	if err := strictly(res.Body, &problem); err != nil {
		d.tb.Errorf("refusal with body %q: %v", res.Body, err)
	}
	want, known := deskTable[problem.Code]
	if want.status == 0 {
		want.status = res.Status
	}
	if !known || res.Status != want.status || problem.Status != res.Status || problem.Title != http.StatusText(res.Status) ||
		problem.Detail == "" || !strings.HasSuffix(problem.Type, "#"+string(problem.Code)) {
		d.tb.Errorf("refusal with status %d is %s", res.Status, res.Body)
	}
	if got := headerOf(res, "Content-Type"); got != "application/problem+json" {
		d.tb.Errorf("Content-Type of a refusal is %q", got)
	}
	if got := headerOf(res, "WWW-Authenticate"); got != want.challenge {
		d.tb.Errorf("WWW-Authenticate of %s is %q; want %q", problem.Code, got, want.challenge)
	}
	if got, want := headerOf(res, "Retry-After"), res.Status == http.StatusServiceUnavailable || res.Status == http.StatusTooManyRequests; (got != "") != want {
		d.tb.Errorf("Retry-After of %s is %q", problem.Code, got)
	}
	said := " " + string(problem.Code)
	if problem.Error != "" {
		said += " " + problem.Error
	}
	// A refusal that is the same whatever was sent echoes nothing.
	if first := d.book.wording(fmt.Sprint(res.Status, said), string(res.Body)); first != string(res.Body) {
		d.tb.Errorf("%d%s in two wordings: %s and %s", res.Status, said, first, res.Body)
	}
	return said
}

// headerOf returns the values of a header field.
func headerOf(res jwtgate.Response, name string) string {
	var values []string
	for _, f := range res.Header {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return strings.Join(values, " | ")
}

// strictly decodes the one JSON value that text is, all of whose members v has.
func strictly(text []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}

// token signs subject in, with a name and a password.
func (d *desk) token(subject string) deskReply {
	d.tb.Helper()
	r := d.ask(d.Auth.Token(deskUsers), formOf("username", subject, "password", "wonderland"))
	if r.Status != http.StatusOK {
		d.tb.Fatalf("sign in: %s", r.text)
	}
	return r
}

// refresh presents a refresh token.
func (d *desk) refresh(token string) deskReply {
	d.tb.Helper()
	return d.ask(d.Refresh, formOf("grant_type", "refresh_token", "refresh_token", token))
}

// rotated presents a refresh token that must be good.
func (d *desk) rotated(token string) deskReply {
	d.tb.Helper()
	r := d.refresh(token)
	if r.Status != http.StatusOK {
		d.tb.Fatalf("refresh: %s", r.text)
	}
	return r
}

// logout presents a refresh token to be ended.
func (d *desk) logout(token string) deskReply {
	d.tb.Helper()
	return d.ask(d.Logout, formOf("refresh_token", token))
}

// who says whom an access token lets in, or why it does not.
func (d *desk) who(access string) string {
	d.tb.Helper()
	decision := d.Decide(d.tb.Context(), bearing(access, jwtgate.Request{Method: http.MethodGet}))
	if decision.Refusal == nil {
		return decision.Identity.Subject()
	}
	return d.read(decision.Response).text
}

// live says how many live sessions subject has in the store.
func (d *desk) live(subject string) int {
	d.tb.Helper()
	records, err := d.store.Store.List(d.tb.Context(), subject)
	if err != nil {
		d.tb.Fatal(err)
	}
	return len(records)
}

// claimsOf returns the header and the claims of an access token.
func claimsOf(tb testing.TB, access string) (header, claims map[string]any) {
	tb.Helper()
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		tb.Fatalf("access token has %d parts", len(parts))
	}
	for i, v := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, v)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return header, claims
}

// sidOf returns the session of an access token.
func sidOf(tb testing.TB, access string) string {
	tb.Helper()
	_, claims := claimsOf(tb, access)
	sid, ok := claims["sid"].(string)
	if !ok {
		tb.Fatalf("access token has the sid %v", claims["sid"])
	}
	return sid
}

// minted returns a token by the desk's key for alice, with the members of more
// in place of what it would have; nil leaves one out.
func (d *desk) minted(more map[string]any) string {
	d.tb.Helper()
	now := d.clock.Now().Unix()
	claims := map[string]any{"iss": deskIssuer, "aud": deskAudience, "sub": "alice", "jti": "minted", "iat": now, "exp": now + 600}
	for name, value := range more {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		d.tb.Fatal(err)
	}
	return jwtgatetest.Sign(d.tb, "HS256", deskSecret, `{"alg":"HS256","typ":"at+jwt"}`, string(payload))
}

// A deskBook has all that was told, logged and handed out. It is safe for concurrent use.
type deskBook struct {
	mu      sync.Mutex
	events  []jwtgate.Event
	log     bytes.Buffer
	secrets []string
	words   map[string]string // the body of each kind of refusal
}

// note is a Config.Events.
func (b *deskBook) note(_ context.Context, e jwtgate.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

// Write takes what is logged.
func (b *deskBook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(line)
}

// hand notes secrets that were handed out.
func (b *deskBook) hand(secrets ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secrets = append(b.secrets, secrets...)
}

// wording returns the body of the first refusal of a kind.
func (b *deskBook) wording(kind, body string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.words == nil {
		b.words = make(map[string]string)
	}
	if _, known := b.words[kind]; !known {
		b.words[kind] = body
	}
	return b.words[kind]
}

// told returns the events since it was last asked, one a line.
func (b *deskBook) told() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for _, e := range b.events {
		line := string(e.Kind)
		if e.Subject != "" {
			line += " " + e.Subject
		}
		if e.SessionID != "" {
			line += " " + e.SessionID
		}
		if e.UserAgent != "" {
			line += " by " + e.UserAgent
		}
		if e.Err != nil {
			line += ": " + e.Err.Error()
		}
		lines = append(lines, line)
	}
	b.log.WriteString(strings.Join(lines, "\n")) // for check
	b.events = nil
	return strings.Join(lines, "\n")
}

// count returns how many events of a kind were told.
func (b *deskBook) count(kind jwtgate.EventKind) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, e := range b.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// found returns which kind of secret text has in it, if any.
func (b *deskBook) found(text string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, secret := range b.secrets {
		// The tail of a token is its signature or its MAC, which must not be
		// given away either.
		if tail := secret[len(secret)*2/3:]; strings.Contains(text, tail) {
			return "a token"
		}
	}
	for _, key := range [][]byte{deskSecret, deskRefreshSecret, []byte("wonderland")} {
		if strings.Contains(text, string(key)) || strings.Contains(text, base64.StdEncoding.EncodeToString(key)) {
			return "a key or a password"
		}
	}
	return ""
}

// check reports secrets in what was told, logged and refused.
func (b *deskBook) check(tb testing.TB) {
	tb.Helper()
	b.told()
	b.mu.Lock()
	log := b.log.String()
	for _, body := range b.words {
		log += "\n" + body
	}
	b.mu.Unlock()
	if what := b.found(log); what != "" {
		tb.Errorf("log, events and refusals have %s in them:\n%.10000s", what, log)
	}
}

// unsafeText returns buffer as a string that changes with it, as a framework's
// do that uses its buffers again.
func unsafeText(buffer []byte) string { return unsafe.String(unsafe.SliceData(buffer), len(buffer)) }

func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}
