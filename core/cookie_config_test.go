package jwtgate_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestCookieConfigMistakes(t *testing.T) {
	t.Parallel()
	origin := func(origin string) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) { c.Cookies.TrustedOrigins = []string{"https://good.example", origin} }
	}
	const origins = "Cookies.TrustedOrigins"
	named := func(name string) func(*jwtgate.Config) { return func(c *jwtgate.Config) { c.Cookies.Name = name } }
	domain := func(domain string) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) { c.Cookies.Domain = domain }
	}
	none := func(insecure bool, origins ...string) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) {
			c.Cookies.SameSite, c.Cookies.InsecureHTTP, c.Cookies.TrustedOrigins = http.SameSiteNoneMode, insecure, origins
		}
	}
	for _, test := range []struct {
		name   string
		change func(*jwtgate.Config)
		want   string // the fields with mistakes
	}{
		{"SameSite None", none(false, "https://app.example"), ""},
		{"SameSite None without origins", none(false), origins},
		{"SameSite None without TLS", none(true, "https://app.example"), "Cookies.InsecureHTTP"},
		{"name", named("shop_1.a-b"), ""},
		{"name with the first and the last character", named("!shop~"), ""},
		{"name with a space", named("my shop"), "Cookies.Name"},
		{"name with a separator", named("shop;"), "Cookies.Name"},
		{"name with =", named("shop="), "Cookies.Name"},
		{"name with a line break", named("shop\n"), "Cookies.Name"},
		{"name beyond ASCII", named("sh\u00f6p"), "Cookies.Name"},
		{"name with a byte that no Latin letter has", named("shop\u0141"), "Cookies.Name"},
		{"name with a prefix", named("__Host-shop"), "Cookies.Name"},
		{"name with a prefix in lower case", named("__secure-shop"), "Cookies.Name"},
		{"name as long as may be", named(strings.Repeat("x", 64)), ""},
		{"name too long", named(strings.Repeat("x", 65)), "Cookies.Name"},
		{"domain", domain("shop-1.example.com"), ""},
		{"domain with the first and the last characters", domain("az-09.example.com"), ""},
		{"domain as long as may be", domain(strings.Repeat(strings.Repeat("x", 63)+".", 3) + strings.Repeat("x", 61)), ""},
		{"domain whose last label begins with 0", domain("example.0x"), "Cookies.Domain"},
		{"domain whose last label begins with 9", domain("example.9x"), "Cookies.Domain"},
		{"domain in upper case", domain("Example.com"), "Cookies.Domain"},
		{"domain with a leading dot", domain(".example.com"), "Cookies.Domain"},
		{"domain with a dot at the end", domain("example.com."), "Cookies.Domain"},
		{"domain with a scheme", domain("https://example.com"), "Cookies.Domain"},
		{"domain with a port", domain("example.com:443"), "Cookies.Domain"},
		{"domain with an attribute", domain("example.com; Path=/a"), "Cookies.Domain"},
		{"domain with a hyphen first", domain("-example.com"), "Cookies.Domain"},
		{"domain with a hyphen last", domain("example-.com"), "Cookies.Domain"},
		{"domain with a long label", domain(strings.Repeat("x", 64) + ".com"), "Cookies.Domain"},
		{"domain too long", domain(strings.Repeat("x.", 127) + "com"), "Cookies.Domain"},
		{"domain beyond ASCII", domain("b\u00fccher.example"), "Cookies.Domain"},
		{"top-level domain", domain("com"), "Cookies.Domain"},
		{"IPv4 as domain", domain("192.0.2.1"), "Cookies.Domain"},
		{"IPv6 as domain", domain("[::1]"), "Cookies.Domain"},
		{"SameSite unknown", func(c *jwtgate.Config) { c.Cookies.SameSite = 99 }, "Cookies.SameSite"},
		{"RenewBefore below zero", func(c *jwtgate.Config) { c.Cookies.RenewBefore = -1 }, "Cookies.RenewBefore"},
		{"RenewBefore too long", func(c *jwtgate.Config) { c.Cookies.RenewBefore = 7*time.Minute + 31*time.Second }, "Cookies.RenewBefore"},
		{"RenewBefore half", func(c *jwtgate.Config) { c.Cookies.RenewBefore = 7*time.Minute + 30*time.Second }, ""},
		{"RenewBefore and Jitter are all of AccessTTL", func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Sessions.Jitter = 450*time.Second, 450*time.Second }, "Cookies.RenewBefore"},
		{"RenewBefore without Sessions", func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Sessions = time.Minute, nil }, "Sessions"},
		{"ReissueRefresh without Sessions", func(c *jwtgate.Config) { c.Cookies.ReissueRefresh, c.Sessions = true, nil }, "Sessions"},
		{"no Sessions", func(c *jwtgate.Config) { c.Sessions = nil }, ""},
		{"two mistakes", func(c *jwtgate.Config) { c.Cookies.SameSite, c.Cookies.RenewBefore = 99, -1 }, "Cookies.SameSite Cookies.RenewBefore"},
		{"two origins", func(c *jwtgate.Config) { c.Cookies.TrustedOrigins = []string{"a", "b"} }, origins + " " + origins},
		{"origin", origin("https://app.example"), ""},
		{"origin with a port", origin("https://app.example:8443"), ""},
		{"origin, plain", origin("http://localhost:3000"), ""},
		{"origin, IPv6", origin("http://[::1]:3000"), ""},
		{"origin, empty", origin(""), origins},
		{"origin null", origin("null"), origins},
		{"origin *", origin("*"), origins},
		{"origin without scheme", origin("app.example"), origins},
		{"origin without host", origin("https://"), origins},
		{"origin with a slash", origin("https://app.example/"), origins},
		{"origin with a path", origin("https://app.example/a"), origins},
		{"origin with a query", origin("https://app.example?a"), origins},
		{"origin with a fragment", origin("https://app.example#a"), origins},
		{"origin with a user", origin("https://alice@app.example"), origins},
		{"origin with an empty user", origin("https://@app.example"), origins},
		{"origin in upper case", origin("https://App.example"), origins},
		{"origin, scheme in upper case", origin("HTTPS://app.example"), origins},
		{"origin with a space", origin(" https://app.example"), origins},
		{"origin with a space behind", origin("https://app.example "), origins},
		{"origin with a control character", origin("https://app.example\n"), origins},
		{"origin with an empty query", origin("https://app.example?"), origins},
		{"origin with an empty fragment", origin("https://app.example#"), origins},
		{"origin with an empty port", origin("https://app.example:"), origins},
		{"origin with the default port", origin("https://app.example:443"), origins},
		{"origin, plain, with the default port", origin("http://app.example:80"), origins},
		{"origin with a wildcard", origin("https://*.app.example"), origins},
		{"origin beyond ASCII", origin("https://bücher.example"), origins},
		{"origin beyond ASCII, encoded", origin("https://b%c3%bccher.example"), origins},
		{"origin with a tilde", origin("https://a~b.example"), ""},
		{"origin of an app", origin("capacitor://localhost"), ""},
		{"origin, list", origin("https://app.example,https://b.example"), origins},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := jwtgate.Config{
				Issuer: serverIssuer, Audience: serverAudience, Keys: keys.HS256(signingSecret),
				Cookies:  &jwtgate.CookieConfig{},
				Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }},
			}
			test.change(&config)
			auth, err := jwtgate.New(config)
			if err == nil {
				defer auth.Close()
			}
			var fields []string
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, err := range joined.Unwrap() {
					var wrong *jwtgate.ConfigError
					if !errors.As(err, &wrong) || wrong.Reason == "" {
						t.Fatalf("got %v, which is no ConfigError", err)
					}
					fields = append(fields, wrong.Field)
				}
			} else if err != nil {
				t.Fatalf("got %v; want several errors joined", err)
			}
			if got := strings.Join(fields, " "); got != test.want {
				t.Errorf("got mistakes in %q; want %q (%v)", got, test.want, err)
			}
		})
	}
}

// TestDomainMistakeIsNotLogged checks that New does not call net/http with a wrong Domain,
// which would be logged.
func TestDomainMistakeIsNotLogged(t *testing.T) { //nolint:paralleltest // it changes the standard logger
	var text strings.Builder
	before := log.Writer()
	log.SetOutput(&text)
	defer log.SetOutput(before)
	_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), Cookies: &jwtgate.CookieConfig{Domain: "example..com"}})
	if err == nil || text.Len() > 0 {
		t.Errorf("got error %v and log %q; want an error and no log", err, text.String())
	}
}
