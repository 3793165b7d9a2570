package examples

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write writes PEM blocks to the file at path and returns path.
func write(t *testing.T, path string, blocks ...*pem.Block) string {
	t.Helper()
	var text []byte
	for _, block := range blocks {
		text = append(text, pem.EncodeToMemory(block)...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newRSA(t *testing.T, bits int) *rsa.PrivateKey {
	return must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, bits))
}

func newECDSA(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(curve, rand.Reader))
}

func newEd25519(t *testing.T) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(must[[]byte](t)([]byte(rand.Text() + rand.Text())[:32], nil))
}

func pkcs8(t *testing.T, key crypto.PrivateKey) *pem.Block {
	return &pem.Block{Type: "PRIVATE KEY", Bytes: must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))}
}

func pkcs1(key *rsa.PrivateKey) *pem.Block {
	return &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
}

func sec1(t *testing.T, key *ecdsa.PrivateKey) *pem.Block {
	return &pem.Block{Type: "EC PRIVATE KEY", Bytes: must[[]byte](t)(x509.MarshalECPrivateKey(key))}
}

func public(t *testing.T, key crypto.Signer) *pem.Block {
	return &pem.Block{Type: "PUBLIC KEY", Bytes: must[[]byte](t)(x509.MarshalPKIXPublicKey(key.Public()))}
}

// TestWrongSettings checks that a server with a wrong setting prints one line
// about it and exits with status 1 before it listens.
func TestWrongSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	rsaKey, p256 := newRSA(t, 2048), newECDSA(t, elliptic.P256())
	write(t, "rsa.pem", pkcs8(t, rsaKey))
	write(t, "p256.pem", sec1(t, p256))
	write(t, "public.pem", public(t, rsaKey))
	write(t, "small.pem", pkcs1(newRSA(t, 1024)))
	write(t, "text.pem")
	for _, dir := range []string{"empty", "half", "torn"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join("half", "1.pem"), pkcs8(t, rsaKey))
	write(t, filepath.Join("half", "2.pem"), public(t, newRSA(t, 2048)))
	write(t, filepath.Join("torn", "1.pem"))
	write(t, filepath.Join("torn", "2.pem"), pkcs8(t, rsaKey))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })

	long := strings.Repeat("s3cret", 20) // must never be printed
	for i, test := range []struct{ env, variable, want string }{
		{"ADDR=nonsense", "ADDR", "use host:port"},
		{"ADDR=127.0.0.1:99999", "ADDR", "use host:port"},
		{"ADDR=" + taken.Addr().String(), "ADDR", "a free port"},
		{"JWT_ALG=none", "JWT_ALG", "use one of HS256, "},
		{"JWT_ALG=hs256", "JWT_ALG", "use one of HS256, "},
		{"JWT_KEY=s3cret", "JWT_KEY", "at least 32"},
		{"JWT_ALG=HS384 JWT_KEY=" + long[:47], "JWT_KEY", "at least 48"},
		{"JWT_ALG=HS512 JWT_KEY=" + long[:63], "JWT_KEY", "at least 64"},
		{"JWT_KEY=rsa.pem", "JWT_KEY", "set JWT_ALG to the algorithm of the key in the file"},
		{"JWT_ALG=RS256 JWT_KEY=" + long, "JWT_KEY", "(no such file or directory): set it to the path of a PEM file"},
		{"JWT_ALG=RS256 JWT_KEY=" + long + long + long, "JWT_KEY", "set it to the path of a PEM file"},
		{"JWT_ALG=RS256 JWT_KEY=-----BEGIN\u00a0s3cret", "JWT_KEY", "write the key to a file"},
		{"JWT_ALG=RS256 JWT_KEY=text.pem", "JWT_KEY", "the key is empty"},
		{"JWT_ALG=RS256 JWT_KEY=small.pem", "JWT_KEY", "use 2048 to 8192"},
		{"JWT_ALG=RS256 JWT_KEY=public.pem", "JWT_KEY", "the file has a public key, which cannot sign tokens: use the private key"},
		{"JWT_ALG=RS256 JWT_KEY=p256.pem", "JWT_KEY", "needs an RSA key"},
		{"JWT_ALG=RS256 JWT_KEY=empty", "JWT_KEY", "(the folder has no files in it): set it to the path of a PEM file"},
		{"JWT_ALG=RS256 JWT_KEY=half", "JWT_KEY", "the file \"2.pem\" in the folder has a public key"},
		{"JWT_ALG=RS256 JWT_KEY=torn", "JWT_KEY", "the file \"1.pem\" in the folder: "},
		{"JWT_ALG=ES256 JWT_KEY=rsa.pem", "JWT_KEY", "needs an ECDSA key"},
		{"JWT_ALG=ES384 JWT_KEY=p256.pem", "JWT_KEY", "needs P-384"},
		{"JWT_ALG=EdDSA JWT_KEY=p256.pem", "JWT_KEY", "needs an Ed25519 key"},
		{"ACCESS_TTL=0", "ACCESS_TTL", `is "0": use a duration greater than zero`},
		{"ACCESS_TTL=0s", "ACCESS_TTL", `is "0s": use a duration greater than zero`},
		{"ACCESS_TTL=-1m", "ACCESS_TTL", `is "-1m": use a duration greater than zero`},
		{"ACCESS_TTL=15", "ACCESS_TTL", `is "15", which is not a duration: use a number with a unit`},
		{"ACCESS_TTL=soon", "ACCESS_TTL", "with a unit"},
		{"ACCESS_TTL=1500ms", "ACCESS_TTL", "whole number of seconds"},
		{"MAX_LIFETIME=0s", "MAX_LIFETIME", "greater than zero"},
		{"MAX_LIFETIME=1m", "ACCESS_TTL", "use at most MaxLifetime"},
		{"RESOURCE_URL=shop", "RESOURCE_URL", "is not the URL of a server"},
		{"RESOURCE_URL=http://shop.example.test", "RESOURCE_URL", "use https"},
		{"TRUSTED_ORIGINS=*", "TRUSTED_ORIGINS", "scheme://host"},
		{"TRUSTED_ORIGINS=https://good.test,https://app.test/", "TRUSTED_ORIGINS", "scheme://host"},
		{"COOKIE_NAME=my\u00a0shop", "COOKIE_NAME", "use up to 64 letters"},
		{"COOKIE_NAME=__Host-shop", "COOKIE_NAME", "leave the prefix out"},
		{"DEBUG=on", "DEBUG", `is "on": use true or false`},
		{"INSECURE_HTTP=yes", "INSECURE_HTTP", `is "yes": use true or false`},
		{"REFRESH_KEY=s3cret", "REFRESH_KEY", "at least 32"},
		{"REFRESH_TTL=0", "REFRESH_TTL", "greater than zero"},
		{"SESSION_TTL=-1h", "SESSION_TTL", "greater than zero"},
		{"REUSE_WINDOW=-1s", "REUSE_WINDOW", `is "-1s": use zero or a duration greater than zero`},
		{"REUSE_WINDOW=500ms", "REUSE_WINDOW", "use at least 1s"},
		{"REUSE_WINDOW=1h", "REUSE_WINDOW", "at most"},
		{"REISSUE_REFRESH=maybe", "REISSUE_REFRESH", `is "maybe": use true or false`},
		{"RETIRE_REPLACED=2", "RETIRE_REPLACED", "true or false"},
		{"ALLOW_LIST=on", "ALLOW_LIST", "true or false"},
		{"MAX_SESSIONS=0", "MAX_SESSIONS", `is "0": use a number greater than zero, such as 100, or -1 for no limit`},
		{"MAX_SESSIONS=-2", "MAX_SESSIONS", "-1 for no limit"},
		{"MAX_SESSIONS=many", "MAX_SESSIONS", `is "many", which is not a whole number: use a number such as 100`},
		{"LOGIN_FAILURES=0", "LOGIN_FAILURES", `is "0": use a number greater than zero, such as 30`},
		{"LOGIN_FAILURES=-1", "LOGIN_FAILURES", "greater than zero"},
		{"LOGIN_FAILURES=100001", "LOGIN_FAILURES", "use a number from 1 to 100000"},
		{"RECENT_LOGIN=0s", "RECENT_LOGIN", "greater than zero"},
		{"REDIS_URL=redis://127.0.0.1:1/0 JWT_KEY=" + long, "REDIS_URL", "unset REDIS_URL to keep sessions in memory"},
		{"REDIS_URL=localhost:6379 JWT_KEY=" + long, "REDIS_URL", "use redis://host:port/db"},
		{"REDIS_URL=redis://user:s3cret@localhost:none/0 JWT_KEY=" + long, "REDIS_URL", "use redis://host:port/db"},
		{"REDIS_URL=redis://:s3cret@127.0.0.1:1/0", "JWT_KEY", "set the same JWT_KEY for all of them"},
		{"DATABASE_URL=sqlite: JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=sqlite::memory: JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=sqlite:no/such/folder/sessions.db JWT_KEY=" + long, "DATABASE_URL", "unset DATABASE_URL to keep sessions in memory"},
		{"DATABASE_URL=sqlite:text.pem/sessions.db JWT_KEY=" + long, "DATABASE_URL", "unset DATABASE_URL to keep sessions in memory"},
		{"DATABASE_URL=sqlite:rsa.pem JWT_KEY=" + long, "DATABASE_URL", "file is not a database"},
		{"DATABASE_URL=sessions.db JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=oracle://user:s3cret@localhost/app JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=postgres://user:s3cret@localhost:none/app JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=postgres://user:s3cret@127.0.0.1:1/app JWT_KEY=" + long, "DATABASE_URL", "start its server"},
		{"DATABASE_URL=mysql://user:s3cret@localhost:none/app JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=mysql://user:s3cret@localhost/app?timeout=s3cret JWT_KEY=" + long, "DATABASE_URL", "use sqlite:FILE"},
		{"DATABASE_URL=mysql://user:s3cret@127.0.0.1:1/app JWT_KEY=" + long, "DATABASE_URL", "start its server"},
		{"DATABASE_URL=sqlite:sessions.db", "JWT_KEY", "set the same JWT_KEY for all of them"},
		{"DATABASE_URL=sqlite:sessions.db JWT_ALG=ES256 JWT_KEY=p256.pem", "REFRESH_KEY", "at least 32"},
		{"DATABASE_URL=sqlite:sessions.db REDIS_URL=redis://127.0.0.1:1/0 JWT_KEY=" + long, "DATABASE_URL", "unset one of them"},
		{"REVOCATION_MAX_LAG=0s", "REVOCATION_MAX_LAG", "greater than zero"},
		{"REVOCATION_MAX_LAG=100ms", "REVOCATION_MAX_LAG", "at least 1s"},
		{"OIDC_ISSUER=accounts", "OIDC_ISSUER", "not an https URL"},
		{"OIDC_ISSUER=http://id.example.test", "OIDC_ISSUER", "not an https URL"},
		{"OIDC_ISSUER=https://id.example.test/#x", "OIDC_ISSUER", "fragment"},
		{"OIDC_ISSUER=https://user:s3cret@id.example.test", "OIDC_ISSUER", "user information"},
		{"OIDC_ISSUER=https://auth.example.test", "OIDC_ISSUER", "listed already"},
		{"OIDC_AUDIENCE=https://api.example.test", "OIDC_AUDIENCE", "OIDC_ISSUER is not set: set OIDC_ISSUER too"},
		{"ACCESS_TTL=0 JWT_KEY=s3cret TRUSTED_ORIGINS=*", "ACCESS_TTL", "greater than zero"},
	} {
		name := names[i%len(names)] // all servers share the package settings
		env := strings.Split(test.env, " ")
		for i := range env {
			env[i] = strings.ReplaceAll(env[i], "\u00a0", " ") // a no-break space is a space inside a value
		}
		cmd := program(name, env...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the exit status is checked below
		got := stderr.String()
		if cmd.ProcessState.ExitCode() != 1 || strings.Contains(stdout.String(), "http") || strings.Count(got, "\n") != 1 ||
			!strings.HasPrefix(got, test.variable+": ") || !strings.Contains(got, test.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s %s: exit status %d, standard output %q, standard error %q", test.env, name, cmd.ProcessState.ExitCode(), &stdout, got)
		}
	}
}

// TestAlgorithms checks that tokens of every algorithm verify, both with a new
// random key and with a key from JWT_KEY.
func TestAlgorithms(t *testing.T) {
	t.Chdir(t.TempDir())
	rsaKey := newRSA(t, 2048)
	write(t, "pkcs8", pkcs8(t, rsaKey))
	write(t, "pkcs1", pkcs1(rsaKey))
	write(t, "p256", &pem.Block{Type: "EC PARAMETERS"}, sec1(t, newECDSA(t, elliptic.P256())))
	write(t, "p384", pkcs8(t, newECDSA(t, elliptic.P384())))
	write(t, "p521", sec1(t, newECDSA(t, elliptic.P521())))
	write(t, "ed25519", pkcs8(t, newEd25519(t)))
	long := strings.Repeat("secret", 11)
	for i, test := range []struct{ alg, key, jwk string }{
		{"HS256", long[:32], ""},
		{"HS384", long[:48], ""},
		{"HS512", long[:64], ""},
		{"RS256", "pkcs8", `"kty":"RSA"`},
		{"RS384", "pkcs1", `"kty":"RSA"`},
		{"RS512", "pkcs8", `"kty":"RSA"`},
		{"PS256", "pkcs1", `"kty":"RSA"`},
		{"PS384", "pkcs8", `"kty":"RSA"`},
		{"PS512", "pkcs1", `"kty":"RSA"`},
		{"ES256", "p256", `"crv":"P-256"`},
		{"ES384", "p384", `"crv":"P-384"`},
		{"ES512", "p521", `"crv":"P-521"`},
		{"EdDSA", "ed25519", `"crv":"Ed25519"`},
	} {
		t.Run(test.alg, func(t *testing.T) {
			name := names[i%len(names)] // all servers load keys in the same way
			fresh := start(t, name, "JWT_ALG="+test.alg)
			given := start(t, name, "JWT_ALG="+test.alg, "JWT_KEY="+test.key)
			again := start(t, name, "JWT_ALG="+test.alg, "JWT_KEY="+test.key)
			for _, p := range []*process{fresh, given} {
				got := p.send(t, "GET", "/me", "", bearer(login(t, p, alice)))
				jwks := p.send(t, "GET", "/.well-known/jwks.json", "")
				if got.status != 200 || !strings.Contains(jwks.body, test.jwk) || strings.Contains(jwks.body, test.alg) != (test.jwk != "") || strings.Contains(jwks.body, `"d"`) {
					t.Errorf("%s\n%s", got.text(), jwks.text())
				}
			}
			token := login(t, given, bob)
			if got := again.send(t, "GET", "/me", "", bearer(token)); got.status != 200 {
				t.Errorf("another process with the same key: got %s; want 200", got.text())
			}
			if got := fresh.send(t, "GET", "/me", "", bearer(token)); got.status != 401 {
				t.Errorf("another process with another key: got %s; want 401", got.text())
			}
			if !strings.Contains(fresh.intro, "JWT_KEY is not set") || strings.Contains(given.intro, "JWT_KEY") {
				t.Errorf("fresh: %s\ngiven: %s", fresh.intro, given.intro)
			}
		})
	}
}

// TestKeyFolder checks that the key whose file name sorts last signs tokens, and
// that the other keys still verify them.
func TestKeyFolder(t *testing.T) {
	dir := t.TempDir()
	first, second := pkcs8(t, newEd25519(t)), pkcs8(t, newEd25519(t))
	path := write(t, filepath.Join(dir, "2024.pem"), first)
	write(t, filepath.Join(dir, ".hidden"))
	old := start(t, "nethttp", "JWT_ALG=EdDSA", "JWT_KEY="+path)
	token := login(t, old, alice)
	write(t, filepath.Join(dir, "2025.pem"), second)
	if err := os.Mkdir(filepath.Join(dir, "2026"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range startAll(t, "JWT_ALG=EdDSA", "JWT_KEY="+dir) {
		jwks := p.send(t, "GET", "/.well-known/jwks.json", "").body
		if got := p.send(t, "GET", "/me", "", bearer(token)); got.status != 200 || strings.Count(jwks, `"kid"`) != 2 {
			t.Errorf("%s: a token signed with the retired key: got %s; want 200 and two published keys\n%s", p.name, got.text(), jwks)
		}
		if got := old.send(t, "GET", "/me", "", bearer(login(t, p, alice))); got.status != 401 {
			t.Errorf("%s: a new token is signed with the retired key", p.name)
		}
	}
}
