package jwtgate_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// fields returns the fields of all ConfigErrors that err joins.
func fields(err error) []string {
	var mistake *jwtgate.ConfigError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, each := range joined.Unwrap() {
			all = append(all, fields(each)...)
		}
		return all
	}
	if errors.As(err, &mistake) {
		return []string{mistake.Field}
	}
	return nil
}

func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	other := keys.HS256([]byte(strings.Repeat("another secret ", 4)))
	for _, row := range []struct {
		name   string
		change func(*jwtgate.Config)
		want   []string
	}{
		{"none", func(*jwtgate.Config) {}, nil},
		{"Issuer empty", func(c *jwtgate.Config) { c.Issuer = "" }, []string{"Issuer"}},
		{"Audience empty", func(c *jwtgate.Config) { c.Audience = "" }, []string{"Audience"}},
		{"Issuer empty, given up", func(c *jwtgate.Config) { c.Issuer, c.InsecureAnyIssuer = "", true }, nil},
		{"Audience empty, given up", func(c *jwtgate.Config) { c.Audience, c.InsecureAnyAudience = "", true }, nil},
		{"Keys nil", func(c *jwtgate.Config) { c.Keys = nil }, []string{"Keys"}},
		{"Keys with two mistakes", func(c *jwtgate.Config) { c.Keys = keys.Set{keys.HS256(nil), keys.RS256([]byte("x"))} }, []string{"Keys", "Keys"}},
		{"AccessTTL negative", func(c *jwtgate.Config) { c.AccessTTL = -time.Second }, []string{"AccessTTL"}},
		{"AccessTTL below a second", func(c *jwtgate.Config) { c.AccessTTL = time.Millisecond }, []string{"AccessTTL"}},
		{"AccessTTL of a second", func(c *jwtgate.Config) { c.AccessTTL = time.Second }, nil},
		{"AccessTTL of a second and a half", func(c *jwtgate.Config) { c.AccessTTL = 1500 * time.Millisecond }, []string{"AccessTTL"}},
		{"AccessTTL as long as MaxLifetime", func(c *jwtgate.Config) { c.AccessTTL = 24 * time.Hour }, nil},
		{"AccessTTL longer than MaxLifetime", func(c *jwtgate.Config) { c.AccessTTL = 24*time.Hour + time.Second }, []string{"AccessTTL"}},
		{"MaxLifetime negative", func(c *jwtgate.Config) { c.MaxLifetime = -time.Second }, []string{"MaxLifetime"}},
		{"MaxLifetime below the default AccessTTL", func(c *jwtgate.Config) { c.MaxLifetime = time.Minute }, nil},
		{"MaxLifetime below a second", func(c *jwtgate.Config) { c.MaxLifetime = time.Millisecond }, []string{"AccessTTL"}},
		{"Leeway negative", func(c *jwtgate.Config) { c.Leeway = -time.Second }, []string{"Leeway"}},
		{"Leeway of five minutes", func(c *jwtgate.Config) { c.Leeway = 5 * time.Minute }, nil},
		{"Leeway of more", func(c *jwtgate.Config) { c.Leeway = 5*time.Minute + 1 }, []string{"Leeway"}},
		{"CacheSize too large", func(c *jwtgate.Config) { c.CacheSize = 16<<30 + 1 }, []string{"CacheSize"}},
		{"largest CacheSize", func(c *jwtgate.Config) { c.Issuer, c.CacheSize = "", 16<<30 }, []string{"Issuer"}}, // with a mistake, New does not allocate the cache
		{"MaxTokenSize negative", func(c *jwtgate.Config) { c.MaxTokenSize = -1 }, []string{"MaxTokenSize"}},
		{"Trusted without anything", func(c *jwtgate.Config) { c.Trusted = []jwtgate.TrustedIssuer{{}} }, []string{"Trusted[0].Name", "Trusted[0].Keys"}},
		{"Trusted twice", func(c *jwtgate.Config) {
			c.Trusted = []jwtgate.TrustedIssuer{{Name: "b", Keys: other}, {Name: "b", Keys: other}}
		}, []string{"Trusted[1].Name"}},
		{"Trusted as ourselves", func(c *jwtgate.Config) { c.Trusted = []jwtgate.TrustedIssuer{{Name: issuer, Keys: other}} }, []string{"Trusted[0].Name"}},
		{"Trusted without an audience", func(c *jwtgate.Config) {
			c.Audience, c.InsecureAnyAudience = "", true
			c.Trusted = []jwtgate.TrustedIssuer{{Name: "b", Keys: other}}
		}, []string{"Trusted[0].Audience"}},
		{"Trusted with a bad key", func(c *jwtgate.Config) { c.Trusted = []jwtgate.TrustedIssuer{{Name: "b", Keys: keys.HS256(nil)}} }, []string{"Trusted[0].Keys"}},
		{"all together", func(c *jwtgate.Config) {
			*c = jwtgate.Config{Leeway: -1, MaxLifetime: -1, AccessTTL: -1, MaxTokenSize: -1, RoleClaims: []string{""}, ClockSkew: -1, Trusted: []jwtgate.TrustedIssuer{{}}}
		}, []string{"Issuer", "Audience", "MaxLifetime", "AccessTTL", "ClockSkew", "MaxTokenSize", "Leeway", "RoleClaims", "Keys", "Trusted[0].Name", "Trusted[0].Audience", "Trusted[0].Leeway", "Trusted[0].Keys"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			config := jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret)}
			row.change(&config)
			auth, err := jwtgate.New(config)
			if got := fields(err); !slices.Equal(got, row.want) {
				t.Errorf("got mistakes in %q, want %q: %v", got, row.want, err)
			}
			if (auth == nil) != (row.want != nil) {
				t.Errorf("got %v, want an Auth if and only if nothing is wrong", auth)
			}
			if err != nil {
				checkNoSecret(t, err.Error())
			}
		})
	}
}

func TestConfigErrorText(t *testing.T) {
	t.Parallel()
	_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256([]byte("too short"))})
	const want = "jwtgate: Config.Keys: the secret has 9 bytes: HS256 needs at least 32 (RFC 7518 §3.2), such as the output of openssl rand -hex 32"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Composite literals of the configuration types must name their fields, so that later
// versions can add fields anywhere.
func TestConfigsNameTheirFields(t *testing.T) {
	t.Parallel()
	for _, kind := range []reflect.Type{reflect.TypeFor[jwtgate.Config](), reflect.TypeFor[jwtgate.TrustedIssuer](), reflect.TypeFor[jwtgate.CookieConfig](), reflect.TypeFor[jwtgate.TokenHeader](), reflect.TypeFor[jwtgate.SessionConfig]()} {
		if first := kind.Field(0); first.Name != "_" || kind.Comparable() {
			t.Errorf("got %s for the first field of %v, want one that makes literals name theirs", first.Name, kind)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	auth, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret)})
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	token, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice", Roles: []string{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	if life := token.Expires.Sub(before); life < 14*time.Minute || life > 15*time.Minute {
		t.Errorf("got a token for %v, want 15 minutes by the clock of this machine", life)
	}
	if d := decide(t, auth, withBearer(token.Token), accepted); !d.Identity.HasRole("admin") {
		t.Error("got no role by the default RoleClaims")
	}

	// The default AccessTTL does not exceed a short MaxLifetime.
	short, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), MaxLifetime: 90*time.Second + time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	decide(t, short, withBearer(jwtgatetest.Token(t, short, "alice")), accepted)
}

// Changes to a Config after New have no effect.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	path := []string{"/realm/roles"}
	set := keys.Set{keys.HS256(secret)}
	trusted := []jwtgate.TrustedIssuer{{Name: "https://b.example", Keys: keys.ES256(p256Key), RoleClaims: path}}
	auth := newVerifier(t, set, func(c *jwtgate.Config) { c.RoleClaims, c.Trusted = slices.Clone(path), trusted })
	ours, theirs := jwtgatetest.Token(t, auth, "alice", "admin"), jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256"}`, claims("iss", `"https://b.example"`, "realm", `{"roles":["admin"]}`))
	path[0], set[0], trusted[0] = "x", keys.Key{}, jwtgate.TrustedIssuer{}
	for _, token := range []string{ours, theirs, signed(t, claims("realm", `{"roles":["admin"]}`))} {
		if d := decide(t, auth, withBearer(token), accepted); !d.Identity.HasRole("admin") {
			t.Errorf("got no role for %s once the Config was changed", d.Identity.Issuer())
		}
	}
}

// TestCookieConfigIsCopied checks that a change of TrustedOrigins after New does not change
// explanations.
func TestCookieConfigIsCopied(t *testing.T) {
	t.Parallel()
	origins := []string{"https://app.example"}
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.Cookies, c.Debug, c.Logger = &jwtgate.CookieConfig{TrustedOrigins: origins}, true, slog.New(slog.DiscardHandler)
	})
	origins[0] = "https://later.example"
	req := jwtgate.Request{Method: "POST", Header: http.Header{"Cookie": {"__Host-at=x"}, "Sec-Fetch-Site": {"cross-site"}}}
	if got := string(auth.Decide(t.Context(), req).Response.Body); !strings.Contains(got, "https://app.example") {
		t.Errorf("got %s; want https://app.example in it", got)
	}
}

// Config.Refuse can change the answer to a refusal, but cannot accept the request.
func TestRefuse(t *testing.T) {
	t.Parallel()
	teapot := errors.New("teapot")
	for _, row := range []struct {
		name   string
		answer jwtgate.Response
		status int
		cache  string
	}{
		{"nothing", jwtgate.Response{}, 401, "no-store"},
		{"a body without a status", jwtgate.Response{Body: []byte("come in")}, 401, "no-store"},
		{"a redirect", jwtgate.Response{Status: 303, Header: []jwtgate.Field{{Name: "Location", Value: "/login"}}}, 303, "no-store"},
		{"the largest status", jwtgate.Response{Status: 999}, 999, "no-store"},
		{"a page that may be stored", jwtgate.Response{Status: 401, Header: []jwtgate.Field{{Name: "Cache-Control", Value: "public"}}}, 401, "no-store"},
		{"an error for the framework", jwtgate.Response{Status: 401, Err: teapot}, 401, "no-store"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var told jwtgate.Code
			auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
				c.Refuse = func(_ context.Context, req jwtgate.Request, r *jwtgate.Refusal) jwtgate.Response {
					if req.Path == "/x" {
						told = r.Code
					}
					return row.answer
				}
			})
			header := slices.Clone(row.answer.Header)
			d := auth.Decide(t.Context(), jwtgate.Request{Method: "GET", Path: "/x"})
			if !slices.Equal(row.answer.Header, header) {
				t.Errorf("got the header %v of Refuse after the request; want %v as before", row.answer.Header, header)
			}
			if d.Refusal == nil || d.Identity != nil || told != jwtgate.CodeTokenMissing {
				t.Fatalf("got %+v, and the code %q for Refuse", d, told)
			}
			if d.Response.Status != row.status || field(d.Response, "Cache-Control") != row.cache || !errors.Is(d.Response.Err, row.answer.Err) {
				t.Errorf("got %+v, want status %d and Cache-Control %s", d.Response, row.status, row.cache)
			}
		})
	}
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	d := decide(t, auth, withBearer("garbage"), jwtgate.CodeTokenInvalid)
	var refusal *jwtgate.Refusal
	if !errors.As(d.Response.Err, &refusal) || refusal != d.Refusal {
		t.Errorf("got error %v, want the refusal", d.Response.Err)
	}
}

// quoted matches a quoted value in a log.
var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"`)

// The log has the reason of a refusal, and no part of the token.
func TestLogger(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	auth := newVerifier(t, keys.HS256(secret).WithID("k"), func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
	token := signed(t, claims("iss", `"x"`))
	decide(t, auth, withBearer(token), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(token+" x"), jwtgate.CodeMalformedCredentials)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"evil\" level=ERROR"}`, claims())), jwtgate.CodeTokenInvalid)
	got := log.String()
	for _, want := range []string{"level=DEBUG", "code=token_invalid", `iss is \"x\", which is none of the configured issuers: \"https://auth.example.com\"`, "code=malformed_credentials"} {
		if !strings.Contains(got, want) {
			t.Errorf("got no %q in the log: %s", want, got)
		}
	}
	for _, part := range strings.Split(token, ".") {
		if strings.Contains(got, part) {
			t.Errorf("got %s of the token in the log: %s", part, got)
		}
	}
	if strings.Contains(quoted.ReplaceAllString(got, ""), "level=ERROR") {
		t.Errorf("got a level that the token wrote: %s", got)
	}
	checkNoSecret(t, got)
}
