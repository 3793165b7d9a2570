package providers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

// now is the time of all tests. The tokens were issued shortly before it.
var now = time.Unix(1_800_000_060, 0)

// secret is the secret of the server for its own tokens.
var secret = []byte("a secret of the server, of 32 bytes or more")

// The outcomes of requests that are refused.
const (
	invalid = string(jwtgate.CodeTokenInvalid)
	expired = string(jwtgate.CodeTokenExpired)
)

// A row is a token of a provider, with its changes to the provider's usual token, and
// the outcome of a request with it: the subject, the roles and the scopes, or the code
// of the refusal.
type row struct {
	name   string
	header string
	claims string
	want   string
}

// test sends requests with the tokens of p to a server with the given configuration and
// rules. Besides those in rows, it checks the refusals that all providers have in
// common. The first row is the usual token.
func (p *provider) test(t *testing.T, config jwtgate.Config, rows []row, rules ...jwtgate.Rule) {
	t.Helper()
	send := p.serve(t, config, rules...)
	rows = append(rows,
		row{"expired", "", `{"iat":1799990000,"nbf":null,"exp":1799993600}`, expired},
		row{"without an expiry", "", `{"exp":null}`, invalid},
		row{"with the name of another issuer", "", `{"iss":"https://issuer.example"}`, invalid},
		row{"without an issuer", "", `{"iss":null}`, invalid},
	)
	for _, row := range rows {
		if got := send(p.sign(t, row.header, row.claims)); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	usual := rows[0]
	if len(config.Trusted) == 1 && config.Trusted[0].Match == nil {
		only := p.serve(t, alone(config.Trusted[0]), rules...)
		if got := only(p.sign(t, usual.header, usual.claims)); got != usual.want {
			t.Errorf("%s, with the fields of the issuer in Config: got %s; want %s", usual.name, got, usual.want)
		}
	}
	alg := object(p.header, usual.header)["alg"].(string)
	if got := send(p.signWith(t, stranger(alg), usual.header, usual.claims)); got != invalid {
		t.Errorf("signed by the key of another issuer: got %s; want %s", got, invalid)
	}
}

// alone returns the configuration of a server that accepts the tokens of issuer only.
func alone(issuer jwtgate.TrustedIssuer) jwtgate.Config {
	return jwtgate.Config{
		Issuer:          issuer.Name,
		Audience:        issuer.Audience,
		OtherAudiences:  issuer.OtherAudiences,
		Keys:            issuer.Keys,
		SubjectClaim:    issuer.SubjectClaim,
		OptionalSubject: issuer.OptionalSubject,
		AudienceClaim:   issuer.AudienceClaim,
		RoleClaims:      issuer.RoleClaims,
		AcceptIDTokens:  issuer.AcceptIDTokens,
		MaxLifetime:     issuer.MaxLifetime,
	}
}

// serve returns a function that sends a request with a token, and returns its outcome.
func (p *provider) serve(t *testing.T, config jwtgate.Config, rules ...jwtgate.Rule) (send func(token string) string) {
	t.Helper()
	config.Keys = p.reach(config.Keys)
	for i := range config.Trusted {
		config.Trusted[i].Keys = p.reach(config.Trusted[i].Keys)
	}
	config.Now = func() time.Time { return now }
	auth, err := jwtgate.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	called := false
	handler := nethttp.Protect(auth, rules...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = true
		id, _ := nethttp.Identity(r)
		_, _ = fmt.Fprintf(w, "%s %v %v", id.Subject(), slices.Collect(id.Roles()), slices.Collect(id.Scopes()))
	}))
	return func(token string) string {
		called = false
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if p.field != "" {
			r.Header.Set(p.field, token)
		} else {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			return w.Body.String()
		}
		if called {
			t.Errorf("the handler ran, although the status is %d", w.Code)
		}
		return problem(w.Body.String())
	}
}

// problem returns the code in the body of a refusal.
func problem(body string) string {
	var refusal struct{ Code string }
	if err := json.NewDecoder(strings.NewReader(body)).Decode(&refusal); err != nil {
		return body
	}
	return refusal.Code
}
