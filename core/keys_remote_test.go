package jwtgate_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// The first token of the issuer starts the first fetch and waits for it. Other tokens
// cause no fetch and do not wait.
func TestRemoteKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		d := &diary{}
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Observers = observing(d.write) })
		own := withBearer(signed(t, claims()))
		decide(t, auth, own, accepted)
		decide(t, auth, withBearer("garbage"), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a", "iss", `"https://idp.example/"`), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a", "iss", ""), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a", "iss", strconv.Quote(issuer)), jwtgate.CodeTokenInvalid)
		synctest.Wait()
		if got := web.all(); got != "" {
			t.Errorf("got %s fetched without a token of the issuer", got)
		}
		for range 3 {
			got := decide(t, auth, theirs(t, "a"), accepted)
			if got.Identity.Issuer() != provider || got.Identity.Subject() != "alice" {
				t.Errorf("got %s of %s, want alice of %s", got.Identity.Subject(), got.Identity.Issuer(), provider)
			}
		}
		decide(t, auth, theirs(t, ""), accepted) // there is one key of the algorithm
		decide(t, auth, own, accepted)
		synctest.Wait()
		if got := web.all(); got != providerSet {
			t.Errorf("got %s fetched, want %s once", got, providerSet)
		}
		if got := d.kinds(); got != "keys_changed×1" {
			t.Errorf("got events %s, want one of the keys that are new", got)
		}
		for _, header := range web.seen {
			if header.Get("Cookie")+header.Get("Authorization") != "" || header.Get("Accept") == "" || header.Get("User-Agent") != "jwtgate" {
				t.Errorf("got a request with %v", header)
			}
		}
	})
}

// The keys of a server that signs no tokens can be fetched keys alone.
func TestRemoteKeysAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{provider + "/.well-known/openid-configuration": {body: metadata}, providerSet: setOf(t, es256("a"))})
		auth, err := jwtgate.New(jwtgate.Config{Issuer: provider, Audience: audience, Keys: keys.Remote{Transport: web}, Now: jwtgatetest.NewClock(time.Unix(start, 0)).Now})
		if err != nil {
			t.Fatal(err)
		}
		decide(t, auth, theirs(t, "a"), accepted)
		if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"}); err == nil {
			t.Error("got a token signed by a key of someone else")
		}
		auth.Close()

		anyone, err := jwtgate.New(jwtgate.Config{Audience: audience, InsecureAnyIssuer: true, Keys: keys.Remote{URL: providerSet, Transport: web}, Now: jwtgatetest.NewClock(time.Unix(start, 0)).Now})
		if err != nil {
			t.Fatal(err)
		}
		decide(t, anyone, theirs(t, "a", "iss", `"https://who.example"`), accepted)
		decide(t, anyone, theirs(t, "a", "iss", ""), accepted)
		anyone.Close()
	})
}

func TestRemoteMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, issuer string
		keys         keys.Remote
		want         string // in the reason, empty for none
	}{
		{"by discovery", provider, keys.Remote{}, ""},
		{"by discovery, of a tenant", provider + "/tenant/", keys.Remote{}, ""},
		{"by discovery, on this machine", "http://localhost:8080", keys.Remote{}, ""},
		{"by URL", "any name", keys.Remote{URL: providerSet}, ""},
		{"by URL, with a query", "any name", keys.Remote{URL: providerSet + "?p=b2c_1"}, ""},
		{"by URL, IPv4 loopback", "any name", keys.Remote{URL: "http://127.0.0.1/"}, ""},
		{"by URL, IPv6 loopback", "any name", keys.Remote{URL: "http://[::1]:80/"}, ""},
		{"a name that is no URL", "accounts", keys.Remote{}, "not an https URL"},
		{"a name without a host", "https:///x", keys.Remote{}, "not an https URL"},
		{"a name over plain HTTP", "http://idp.example", keys.Remote{}, "not an https URL"},
		{"a name with a query", provider + "?x", keys.Remote{}, "has a query"},
		{"a name with an empty query", provider + "?", keys.Remote{}, "has a query"},
		{"a name with a fragment", provider + "#x", keys.Remote{}, "fragment"},
		{"a name with a user", "https://user:s3cret@idp.example", keys.Remote{}, "user information"},
		{"URL over plain HTTP", provider, keys.Remote{URL: "http://idp.example/keys"}, "not an https URL"},
		{"URL over plain HTTP, to a name like ours", provider, keys.Remote{URL: "http://localhost.example/keys"}, "not an https URL"},
		{"URL of a file", provider, keys.Remote{URL: "file:///etc/keys"}, "not an https URL"},
		{"URL relative", provider, keys.Remote{URL: "/keys"}, "not an https URL"},
		{"URL with a user", provider, keys.Remote{URL: "https://user:s3cret@idp.example/keys"}, "user information"},
		{"URL with a fragment", provider, keys.Remote{URL: providerSet + "#"}, "fragment"},
		{"URL that is too long", provider, keys.Remote{URL: provider + "/" + strings.Repeat("x", 2048)}, "over 2048 bytes"},
		{"URL of the largest length", provider, keys.Remote{URL: provider + "/" + strings.Repeat("x", 2047-len(provider))}, ""},
		{"URL that is none", provider, keys.Remote{URL: "https://s3cret:%zz"}, "not an https URL"},
		{"URL over plain HTTP, insecure", provider, keys.Remote{URL: "http://keycloak:8080/keys", InsecureHTTP: true}, ""},
		{"URL of a file, insecure", provider, keys.Remote{URL: "file:///etc/keys", InsecureHTTP: true}, "not an https URL"},
		{"URL without a host, insecure", provider, keys.Remote{URL: "http:///keys", InsecureHTTP: true}, "not an https URL"},
		{"URL with a user, insecure", provider, keys.Remote{URL: "http://user:s3cret@idp.example/keys", InsecureHTTP: true}, "user information"},
		{"a name over plain HTTP, insecure", "http://keycloak:8080/realms/x", keys.Remote{InsecureHTTP: true}, ""},
		{"a name that is no URL, insecure", "accounts", keys.Remote{InsecureHTTP: true}, "not an https URL"},
		{"discovery at another address", "any name", keys.Remote{DiscoveryURL: provider + "/metadata?p=b2c_1"}, ""},
		{"discovery over plain HTTP", provider, keys.Remote{DiscoveryURL: "http://keycloak:8080/metadata"}, "DiscoveryURL is not an https URL (http is allowed for this machine, and for others with InsecureHTTP)"},
		{"discovery over plain HTTP, insecure", provider, keys.Remote{DiscoveryURL: "http://keycloak:8080/metadata", InsecureHTTP: true}, ""},
		{"discovery with a user", provider, keys.Remote{DiscoveryURL: "https://user:s3cret@idp.example/metadata"}, "user information"},
		{"discovery and URL", provider, keys.Remote{DiscoveryURL: provider + "/metadata", URL: providerSet}, "has a URL and a DiscoveryURL: set one of them"},
		{"Timeout negative", provider, keys.Remote{Timeout: -1}, "Timeout is"},
		{"Cooldown negative", provider, keys.Remote{Cooldown: -1}, "Cooldown is"},
		{"MaxStale negative", provider, keys.Remote{MaxStale: -1}, "MaxStale is"},
	} {
		_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), Trusted: []jwtgate.TrustedIssuer{{Name: row.issuer, Keys: row.keys}}})
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s: got %v", row.name, err)
		case row.want != "" && (!slices.Equal(fields(err), []string{"Trusted[0].Keys"}) || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: got %v, want a mistake in Trusted[0].Keys with %q", row.name, err, row.want)
		case row.want != "" && strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%s: got a secret in %v", row.name, err)
		}
	}
	_, err := jwtgate.New(jwtgate.Config{InsecureAnyIssuer: true, Audience: audience, Keys: keys.Remote{}})
	if !slices.Equal(fields(err), []string{"Keys"}) {
		t.Errorf("no name to find keys by: got %v, want a mistake in Keys", err)
	}
	_, err = jwtgate.New(jwtgate.Config{InsecureAnyIssuer: true, Audience: audience, Keys: keys.Remote{DiscoveryURL: provider}})
	if !slices.Equal(fields(err), []string{"Keys"}) || !strings.Contains(err.Error(), "no issuer's name that the document must have") {
		t.Errorf("discovery without a name: got %v, want a mistake in Keys", err)
	}
	_, err = jwtgate.New(jwtgate.Config{Issuer: provider, Audience: audience, Keys: keys.Remote{}, Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }}})
	if !slices.Contains(fields(err), "Keys") {
		t.Errorf("Sessions without a key that signs: got %v, want a mistake in Keys", err)
	}
}
