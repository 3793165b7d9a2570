package jwtgate_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// The log of an Auth without a Logger is not shown.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

const (
	issuer   = "https://auth.example.com"
	audience = "https://api.example.com"

	start = 1_800_000_000 // the time by the clock, in Unix seconds, unless a test moves it

	accepted jwtgate.Code = "" // the code in rows with a token that is accepted
)

// secret is long enough for every HMAC algorithm.
var secret = []byte("sixty-four bytes that nobody knows: 0123456789 abcdefghijklmnopq")

// The keys of the tests. RSA keys are generated on first use, because that is slow.
var (
	rsaKey     = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256Key    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384Key    = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521Key    = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	ed25519Key = ed25519.NewKeyFromSeed([]byte("thirty-two bytes to make a key.."))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newVerifier returns an Auth without sessions that verifies tokens with keys. Its
// configuration is changed by changes.
func newVerifier(tb testing.TB, source keys.Source, changes ...func(*jwtgate.Config)) *jwtgate.Auth {
	tb.Helper()
	config := jwtgate.Config{
		Issuer:   issuer,
		Audience: audience,
		Keys:     source,
		Now:      jwtgatetest.NewClock(time.Unix(start, 0)).Now,
	}
	for _, change := range changes {
		change(&config)
	}
	auth, err := jwtgate.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	return auth
}

// withBearer returns a request with token in its Authorization header.
func withBearer(token string) jwtgate.Request {
	return jwtgate.Request{Method: "GET", Path: "/", Host: "api.example.com", Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// withField returns req with lines as the lines of the header field called name.
func withField(req jwtgate.Request, name string, lines ...string) jwtgate.Request {
	header := http.Header{}
	if req.Header != nil {
		header = req.Header.(http.Header).Clone()
	}
	header[name] = lines
	req.Header = header
	return req
}

// answers are the status and the challenge that go with each code: see RFC 6750
// §3.1. Status 0 stands for several.
var answers = map[jwtgate.Code]struct {
	status    int
	challenge string
}{
	jwtgate.CodeMalformedCredentials: {400, `Bearer error="invalid_request"`},
	jwtgate.CodeTokenMissing:         {401, `Bearer`},
	jwtgate.CodeTokenInvalid:         {401, `Bearer error="invalid_token"`},
	jwtgate.CodeTokenExpired:         {401, `Bearer error="invalid_token"`},
	jwtgate.CodeTokenRevoked:         {401, `Bearer error="invalid_token"`},
	jwtgate.CodeLoginTooOld:          {401, `Bearer error="insufficient_user_authentication"`},
	jwtgate.CodeInsufficientScope:    {403, `Bearer error="insufficient_scope"`},
	jwtgate.CodeCrossSite:            {403, ``},
	jwtgate.CodeUnavailable:          {503, ``},
	jwtgate.CodeInternal:             {500, ``},
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

// decide returns the decision of auth about req. It checks that all parts of the decision
// agree with want.
func decide(t *testing.T, auth *jwtgate.Auth, req jwtgate.Request, want jwtgate.Code, rules ...jwtgate.Rule) jwtgate.Decision {
	t.Helper()
	d := auth.Decide(t.Context(), req, rules...)
	if want == accepted {
		if d.Refusal != nil || d.Response.Status != 0 || d.Response.Body != nil {
			t.Errorf("got %v, want the request to be let through", d.Refusal)
		}
		return d
	}
	if d.Refusal == nil || d.Refusal.Code != want {
		t.Fatalf("got %v, want %s", d.Refusal, want)
	}
	if _, found := jwtgate.IdentityFrom(d.Context); found || d.Identity != nil {
		t.Error("got an identity with a refusal")
	}
	answer := answers[want]
	if d.Response.Status != answer.status {
		t.Errorf("got status %d, want %d", d.Response.Status, answer.status)
	}
	if got := field(d.Response, "WWW-Authenticate"); got != answer.challenge {
		t.Errorf("got challenge %q, want %q", got, answer.challenge)
	}
	if got := field(d.Response, "Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
	var problem struct {
		Status int
		Code   jwtgate.Code
	}
	if err := json.Unmarshal(d.Response.Body, &problem); err != nil || problem.Status != answer.status || problem.Code != want {
		t.Errorf("got body %s, want problem+json with status %d and code %s", d.Response.Body, answer.status, want)
	}
	checkNoEcho(t, d.Response, req)
	return d
}

// checkNoEcho fails if res contains a part of the credentials in req.
func checkNoEcho(t *testing.T, res jwtgate.Response, req jwtgate.Request) {
	t.Helper()
	answer := fmt.Sprintf("%q %s", res.Header, res.Body)
	if req.Header == nil {
		return
	}
	for _, line := range slices.Concat(req.Header.Values("Authorization"), req.Header.Values("Cookie")) {
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" .;=,\"", r) }) {
			if len(part) > 10 && strings.Contains(answer, part) {
				t.Errorf("got %q of the request back in %s", part, answer)
			}
		}
	}
}

// field returns the values of the header field called name in res, with commas between.
func field(res jwtgate.Response, name string) string {
	var values []string
	for _, f := range res.Header {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return strings.Join(values, ", ")
}

// at returns the NumericDate (RFC 7519 §2) that is seconds after start.
func at(seconds int) string { return strconv.Itoa(start + seconds) }

// claims returns the payload of a valid token with changes: claim names, each followed by
// its value in JSON, or by the empty string to leave the claim out.
func claims(changes ...string) string {
	members := [][2]string{
		{"iss", strconv.Quote(issuer)}, {"sub", `"alice"`}, {"aud", strconv.Quote(audience)}, {"exp", at(900)},
	}
	for i := 0; i < len(changes); i += 2 {
		name, value := changes[i], changes[i+1]
		found := false
		for j := range members {
			if members[j][0] == name {
				members[j][1], found = value, true
			}
		}
		if !found {
			members = append(members, [2]string{name, value})
		}
	}
	var text []string
	for _, member := range members {
		if member[1] != "" {
			text = append(text, strconv.Quote(member[0])+":"+member[1])
		}
	}
	return "{" + strings.Join(text, ",") + "}"
}

const hs256 = `{"alg":"HS256","typ":"at+jwt"}`

// signed returns a token with payload that is valid if the payload is.
func signed(tb testing.TB, payload string) string {
	tb.Helper()
	return jwtgatetest.Sign(tb, "HS256", secret, hs256, payload)
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// A row is one token of a test. Its text is a header, a payload or the whole token.
type row struct {
	name, text string
	want       jwtgate.Code
}

func signedES256(tb testing.TB, payload string) string {
	tb.Helper()
	return jwtgatetest.Sign(tb, "ES256", p256Key, `{"alg":"ES256","typ":"at+jwt"}`, payload)
}

// unsafeString returns buffer as a string that changes with it. Frameworks that
// reuse their buffers have such strings in requests.
func unsafeString(buffer []byte) string { return unsafe.String(unsafe.SliceData(buffer), len(buffer)) }

// sortedWords sorts words, and returns them with spaces between.
func sortedWords(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}
