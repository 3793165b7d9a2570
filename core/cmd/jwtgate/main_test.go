package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const secret = "a secret of at least 32 bytes, for tests"

var start = time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC)

// run runs the command line and returns what it prints.
func run(t *testing.T, now time.Time, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, problems bytes.Buffer
	p := &program{stdin: strings.NewReader(stdin), stdout: &out, stderr: &problems, now: func() time.Time { return now }}
	status = p.run(t.Context(), args)
	return out.String(), problems.String(), status
}

// keyFile writes a new key for alg to a file and returns its path.
func keyFile(t *testing.T, alg string) string {
	t.Helper()
	key, stderr, status := run(t, start, "", "key", "-alg", alg)
	if status != 0 {
		t.Fatalf("got status %d and %s", status, stderr)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommands makes a key for every algorithm, a token with it, and has the token
// explained and verified.
func TestCommands(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		t.Run(alg.name, func(t *testing.T) {
			t.Parallel()
			path := keyFile(t, alg.name)
			token, stderr, status := run(t, start, "", "token", "-alg", alg.name, "-key", path, "-iss", "https://auth.example.com", "-aud", "api", "-role", "admin")
			if status != 0 || strings.Count(token, ".") != 2 {
				t.Fatalf("got status %d, %q and %s, want a token", status, token, stderr)
			}
			explained, stderr, status := run(t, start, token, "explain", "-key", path)
			if status != 0 || !strings.Contains(explained, "matches the key, and a server") || strings.Contains(explained, "NO ") {
				t.Errorf("got status %d, %s and %s, want a valid token", status, explained, stderr)
			}
			set, stderr, status := run(t, start, "", "jwks", "-alg", alg.name, "-key", path)
			if published := status == 0 && strings.Contains(set, `"alg":"`+alg.name+`"`); published != (alg.generate != nil) {
				t.Errorf("got status %d, %s and %s, want a JWK Set except for secrets", status, set, stderr)
			}
		})
	}
}

// TestKeysDiffer checks that each call of the command makes a new key.
func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"HS256", "ES256", "EdDSA"} {
		first, _, _ := run(t, start, "", "key", "-alg", alg)
		if second, _, _ := run(t, start, "", "key", "-alg", alg); first == second {
			t.Errorf("%s: got the same key twice", alg)
		}
	}
}

// TestExplainByJWKS checks that explain verifies a token with keys that it fetches.
func TestExplainByJWKS(t *testing.T) {
	t.Parallel()
	path := keyFile(t, "ES256")
	set, _, _ := run(t, start, "", "jwks", "-key", path)
	token, _, _ := run(t, start, "", "token", "-alg", "ES256", "-key", path, "-iss", "i", "-aud", "a")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, set) }))
	defer server.Close()
	if stdout, stderr, status := run(t, start, token, "explain", "-jwks", server.URL); status != 0 || !strings.Contains(stdout, "matches the key, and a server") {
		t.Errorf("got status %d, %s and %s; want a valid token", status, stdout, stderr)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mint := func(args ...string) string {
		token, stderr, status := run(t, start, "", append([]string{"token", "-key", path}, args...)...)
		if status != 0 {
			t.Fatal(stderr)
		}
		return strings.TrimSpace(token)
	}
	good := mint("-iss", "https://auth.example.com", "-aud", "api")
	other := keyFile(t, "HS256")
	claims := func(text string) string { // returns a token with these claims and no signature
		return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".AA"
	}
	for _, row := range []struct {
		name  string
		token string
		now   time.Time
		args  []string
		want  string // a part of what is printed
	}{
		{"valid", good, start, nil, "ok  exp       must be in the future (Leeway allows for clocks that differ); it is in 15m0s"},
		{"times in words", good, start.Add(time.Minute), nil, "2026-12-01T12:15:00Z, in 14m0s"},
		{"expired", good, start.Add(time.Hour), nil, "NO  exp       must be in the future (Leeway allows for clocks that differ); it is 45m0s ago"},
		{"expired, verified", good, start.Add(time.Hour), []string{"-key", path}, "matches the key, but the token has expired"},
		{"early", good, start.Add(-time.Hour), nil, "NO  iat       must not be further in the future than ClockSkew"},
		{"with the scheme", "Bearer " + good, start, []string{"-key", path}, "matches the key, and a server"},
		{"another key", good, start, []string{"-key", other}, "the signature does not match: none of the keys"},
		{"not verified", good, start, nil, "not checked: give a key with -key"},
		{"too long a life", mint("-iss", "i", "-aud", "a", "-ttl", "720h"), start, nil, "NO  lifetime  must be at most MaxLifetime, by default 24h0m0s; it is 720h0m0s"},
		{"no exp, iss, aud, sub", "eyJhbGciOiJIUzI1NiJ9.e30.AA", start, nil, "NO  exp       must be there"},
		{"alg none", "eyJhbGciOiJub25lIn0.e30.AA", start, nil, `NO  alg       must be the algorithm of a key`},
		{"typ of another token", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.e30.AA", start, nil, "NO  typ       must be at+jwt"},
		{"header", good, start, nil, "header\n  alg  \"HS256\"\n"},
		{"type in full", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImFwcGxpY2F0aW9uL0FUK0pXVCJ9.e30.AA", start, nil, "ok  typ"},
		{"alg Ed25519", "eyJhbGciOiJFZDI1NTE5In0.e30.AA", start, nil, "ok  alg"},
		{"times of other claims", claims(`{"a":1,"exp":1}`), time.Unix(0, 0), nil, "  a    1\n  exp  1   1970-01-01T00:00:01Z, in 1s\n"},
		{"exp now", claims(`{"exp":7}`), time.Unix(7, 0), nil, "NO  exp       must be in the future (Leeway allows for clocks that differ); it is now"},
		{"earliest exp", claims(`{"exp":0}`), time.Unix(7, 0), nil, "it is 7s ago"},
		{"exp too early", claims(`{"exp":-1}`), start, nil, "NO  exp       must be there"},
		{"latest exp", claims(`{"exp":100000000000}`), time.Unix(100000000000-7, 0), nil, "it is in 7s"},
		{"exp too late", claims(`{"exp":100000000001}`), start, nil, "NO  exp       must be there"},
		{"exp is text", claims(`{"exp":"7"}`), start, nil, "NO  exp       must be there"},
		{"lifetime from iat", good, start.Add(time.Hour), nil, "ok  lifetime  must be at most MaxLifetime, by default 24h0m0s; it is 15m0s"},
		{"lifetime from now", claims(`{"exp":100}`), time.Unix(60, 0), nil, "ok  lifetime  must be at most MaxLifetime, by default 24h0m0s; it is 40s"},
		{"longest lifetime", claims(`{"iat":0,"exp":86400}`), time.Unix(0, 0), nil, "ok  lifetime  must be at most MaxLifetime, by default 24h0m0s; it is 24h0m0s"},
		{"latest nbf", claims(`{"nbf":60,"exp":100}`), time.Unix(0, 0), nil, "ok  nbf       must not be further in the future than ClockSkew, by default 1m0s; it is in 1m0s"},
		{"nbf too late", claims(`{"nbf":61,"exp":100}`), time.Unix(0, 0), nil, "NO  nbf"},
		{"number as sub", claims(`{"sub":12}`), start, nil, "ok  sub"},
		{"fraction as sub", claims(`{"sub":1.5}`), start, nil, "NO  sub"},
		{"empty sub", claims(`{"sub":""}`), start, nil, "NO  sub"},
		{"array as sub", claims(`{"sub":["a"]}`), start, nil, "NO  sub"},
		{"titles", claims(`{}`), start, nil, "\"HS256\"\n\nclaims\n\nwhat a server checks\n"},
		{"typ JWT", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.AA", start, nil, "ok  typ"},
		{"rounded time", good, start.Add(400 * time.Millisecond), nil, "it is in 15m0s"},
		{"no nbf and iat", claims(`{"exp":100}`), time.Unix(60, 0), nil, "it is 40s\n\nsignature"},
		{"iss and aud", good, start, nil, "slashes included; it is \"https://auth.example.com\"\n  ok  aud"},
		{"no iss and aud", claims(`{}`), start, nil, "slashes included; it is \"\"\n  NO  aud"},
		{"a scope", mint("-iss", "i", "-aud", "a", "-scope", "read", "-scope", "write"), start, nil, `  scope  "read write"`},
		{"a claim", mint("-iss", "i", "-aud", "a", "-claim", "level=3"), start, nil, "  level  3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := run(t, row.now, row.token, append([]string{"explain"}, row.args...)...)
			if status != 0 || !strings.Contains(stdout, row.want) {
				t.Errorf("got status %d, %s and %s, want %q", status, stdout, stderr, row.want)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	es256 := keyFile(t, "ES256")
	for _, row := range []struct {
		name   string
		args   []string
		status int
		want   string // a part of what is printed as an error
	}{
		{"no command", nil, 2, "jwtgate key"},
		{"unknown command", []string{"sign"}, 2, `unknown command "sign"`},
		{"help", []string{"help"}, 0, "jwtgate key"},
		{"help as -h", []string{"-h"}, 0, "jwtgate key"},
		{"help as -help", []string{"-help"}, 0, "jwtgate key"},
		{"help as --help", []string{"--help"}, 0, "jwtgate key"},
		{"help of a command", []string{"token", "-h"}, 0, "usage: jwtgate token"},
		{"flags of a command", []string{"token", "-h"}, 0, "-aud string"},
		{"unknown flag", []string{"key", "-x"}, 2, "-x"},
		{"unknown flag of a token", []string{"token", "-x"}, 2, "-x"},
		{"default lifetime of a token", []string{"token", "-h"}, 0, "(default 15m0s)"},
		{"unknown flag to publish", []string{"jwks", "-x"}, 2, "-x"},
		{"unknown flag to explain", []string{"explain", "-x"}, 2, "-x"},
		{"too many arguments", []string{"key", "x"}, 2, "unexpected argument \"x\"\nusage: jwtgate key"},
		{"unknown algorithm", []string{"key", "-alg", "none"}, 1, `-alg is "none": use one of HS256`},
		{"no key", []string{"token", "-alg", "ES256"}, 1, "-key is missing"},
		{"no secret", []string{"token"}, 1, "-key is missing: set it to the path of a file with the secret, or put"},
		{"key of another algorithm", []string{"token", "-alg", "RS256", "-key", es256, "-iss", "i", "-aud", "a"}, 1, "-key the key is a *ecdsa.PrivateKey"},
		{"missing key file", []string{"token", "-alg", "ES256", "-key", "missing"}, 1, "-key: open missing"},
		{"no issuer", []string{"token", "-alg", "ES256", "-key", es256, "-aud", "a"}, 1, "-iss is empty"},
		{"no audience", []string{"token", "-alg", "ES256", "-key", es256, "-iss", "i"}, 1, "-aud is empty"},
		{"a claim without a value", []string{"token", "-alg", "ES256", "-key", es256, "-iss", "i", "-aud", "a", "-claim", "x"}, 1, `-claim is "x"`},
		{"a claim without a name", []string{"token", "-alg", "ES256", "-key", es256, "-iss", "i", "-aud", "a", "-claim", "=1"}, 1, `-claim is "=1"`},
		{"a claim that is not JSON", []string{"token", "-alg", "ES256", "-key", es256, "-iss", "i", "-aud", "a", "-claim", "x=y"}, 1, `-claim is "x=y"`},
		{"a lifetime below zero", []string{"token", "-alg", "ES256", "-key", es256, "-iss", "i", "-aud", "a", "-ttl", "-1m"}, 1, "-ttl "},
		{"a registered claim", []string{"token", "-alg", "ES256", "-key", es256, "-iss", "i", "-aud", "a", "-claim", "exp=1"}, 1, `registered claim "exp"`},
		{"a published secret", []string{"jwks", "-alg", "HS256", "-key", es256}, 1, "secrets must not be published"},
		{"no keys to publish", []string{"jwks"}, 1, "-key: is empty"},
		{"missing key file to publish", []string{"jwks", "-key", "missing"}, 1, "-key: open missing"},
		{"unknown algorithm to publish", []string{"jwks", "-alg", "none"}, 1, `-alg is "none"`},
		{"unknown algorithm of a token", []string{"token", "-alg", "none"}, 1, `-alg is "none"`},
		{"too many tokens", []string{"explain", "a", "b"}, 2, `unexpected argument "b"`},
		{"no token", []string{"explain"}, 1, "there is no token"},
		{"an opaque token", []string{"explain", "abc"}, 1, "must have 3 parts separated by dots"},
		{"a token with another scheme", []string{"explain", "Basic eyJhbGciOiJIUzI1NiJ9.e30.AA"}, 1, "the header is not base64url"},
		{"an encrypted token", []string{"explain", "a.b.c.d.e"}, 1, "encrypted"},
		{"a token that was cut off", []string{"explain", "eyJhbGciOiJIUzI1NiJ9.e3.AA"}, 1, "the payload is not"},
		{"a header that is not base64url", []string{"explain", "e=.e30.AA"}, 1, "the header is not base64url"},
		{"a header that is not JSON", []string{"explain", "YWJj.e30.AA"}, 1, "the header is not a JSON object"},
		{"a payload that is an array", []string{"explain", "eyJhbGciOiJIUzI1NiJ9.W10.AA"}, 1, "the payload is not a JSON object"},
		{"missing key file to verify", []string{"explain", "-key", "missing", "eyJhbGciOiJIUzI1NiJ9.e30.AA"}, 1, "-key: open missing"},
		{"unknown algorithm to verify", []string{"explain", "-key", es256, "eyJhbGciOiJub25lIn0.e30.AA"}, 1, "-key: the token's alg is not supported"},
		{"key of another algorithm to verify", []string{"explain", "-key", es256, "eyJhbGciOiJSUzI1NiJ9.e30.AA"}, 1, "-key: the key is a *ecdsa.PrivateKey"},
		{"address that is no URL", []string{"explain", "-jwks", "ftp://x", "eyJhbGciOiJIUzI1NiJ9.e30.AA"}, 1, "-key: "},
		{"two keys", []string{"explain", "-key", es256, "-jwks", "https://x", "eyJhbGciOiJIUzI1NiJ9.e30.AA"}, 1, "use one of them"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, status := run(t, start, "", row.args...)
			if status != row.status || stdout != "" || !strings.Contains(stderr, row.want) {
				t.Errorf("got status %d, %q and %s, want %d and %q", status, stdout, stderr, row.status, row.want)
			}
		})
	}
}

// TestSecretInEnvironment checks that a token can be signed with the secret in JWT_KEY.
func TestSecretInEnvironment(t *testing.T) {
	t.Setenv("JWT_KEY", secret)
	token, stderr, status := run(t, start, "", "token", "-iss", "i", "-aud", "a")
	if status != 0 {
		t.Fatalf("got status %d and %s", status, stderr)
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, status := run(t, start, token, "explain", "-key", path); !strings.Contains(stdout, "matches the key") {
		t.Errorf("got status %d, %s and %s, want a token that matches the secret", status, stdout, stderr)
	}
}

// TestInputError checks that an error of standard input is reported.
func TestInputError(t *testing.T) {
	t.Parallel()
	var problems bytes.Buffer
	p := &program{stdin: iotest.ErrReader(os.ErrClosed), stderr: &problems}
	if status := p.run(t.Context(), []string{"explain"}); status != 1 || !strings.Contains(problems.String(), os.ErrClosed.Error()) {
		t.Errorf("got status %d and %s, want 1 and %q", status, &problems, os.ErrClosed)
	}
}

// TestOutputError checks that an error of standard output is reported.
func TestOutputError(t *testing.T) {
	t.Parallel()
	es256 := keyFile(t, "ES256")
	for _, args := range [][]string{
		{"key"}, {"key", "-alg", "HS256"}, {"jwks", "-key", es256}, {"explain", "eyJhbGciOiJIUzI1NiJ9.e30.AA"},
		{"token", "-alg", "ES256", "-key", es256, "-iss", "i", "-aud", "a"},
	} {
		var problems bytes.Buffer
		p := &program{stdout: full{}, stderr: &problems, now: time.Now}
		if status := p.run(t.Context(), args); status != 1 || !strings.Contains(problems.String(), io.ErrShortWrite.Error()) {
			t.Errorf("%q: got status %d and %s, want 1 and %q", args, status, &problems, io.ErrShortWrite)
		}
	}
}

// full is an output without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
