package redisstore_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

func TestNew(t *testing.T) {
	good := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	for _, row := range []struct {
		name   string
		client redis.UniversalClient
		config redisstore.Config
		want   []string // in the error
	}{
		{"the least", good, redisstore.Config{}, nil},
		{"all", good, redisstore.Config{Prefix: "app:sessions", WaitReplicas: 1, Logger: slog.Default()}, nil},
		{"cluster", redis.NewClusterClient(&redis.ClusterOptions{ContextTimeoutEnabled: true}), redisstore.Config{}, nil},
		{"sentinel", redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", ContextTimeoutEnabled: true}), redisstore.Config{}, nil},
		{"no client", nil, redisstore.Config{}, []string{"client is <nil>"}},
		{"nil client", (*redis.Client)(nil), redisstore.Config{}, []string{"client is *redis.Client"}},
		{"nil cluster client", (*redis.ClusterClient)(nil), redisstore.Config{}, []string{"client is *redis.ClusterClient"}},
		{"ring", redis.NewRing(&redis.RingOptions{ContextTimeoutEnabled: true}), redisstore.Config{}, []string{"client is *redis.Ring"}},
		{"no deadlines", redis.NewClient(&redis.Options{}), redisstore.Config{}, []string{"ContextTimeoutEnabled"}},
		{"no deadlines in cluster", redis.NewClusterClient(&redis.ClusterOptions{}), redisstore.Config{}, []string{"ContextTimeoutEnabled"}},
		{"hash tag", good, redisstore.Config{Prefix: "{app}"}, []string{"Config.Prefix"}},
		{"half a hash tag", good, redisstore.Config{Prefix: "app}"}, []string{"Config.Prefix"}},
		{"fewer than none", good, redisstore.Config{WaitReplicas: -1}, []string{"Config.WaitReplicas"}},
		{"all at once", nil, redisstore.Config{Prefix: "{", WaitReplicas: -1}, []string{"client", "Config.Prefix", "Config.WaitReplicas"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, err := redisstore.New(row.client, row.config)
			if (err == nil) != (row.want == nil) || (store == nil) != (err != nil) {
				t.Fatalf("got store %v, error %v, want an error: %v", store, err, row.want)
			}
			for _, part := range row.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got error %v, want one about %s", err, part)
				}
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		name     string
		options  []string
		warnings []string
	}{
		{"as it is to be", []string{"--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "noeviction"}, nil},
		{"no limit", []string{"--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"}, nil},
		{"evicts", []string{"--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"}, []string{"setting=maxmemory-policy value=volatile-ttl"}},
		{"not persistent", nil, []string{"setting=appendonly value=no"}},
		{"both", []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, []string{"setting=maxmemory-policy value=allkeys-lru", "setting=appendonly value=no"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var log bytes.Buffer
			store := newStore(t, startServer(t, row.options...).client(), redisstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err := store.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(log.String(), "level=WARN"); got != len(row.warnings) {
				t.Errorf("got %d warnings, want %d:\n%s", got, len(row.warnings), &log)
			}
			for _, warning := range row.warnings {
				if !strings.Contains(log.String(), warning) {
					t.Errorf("got log\n%swant %s", &log, warning)
				}
			}
		})
	}
	t.Run("every master of a cluster", func(t *testing.T) {
		var log bytes.Buffer
		store := newStore(t, clusterClient(t, startCluster(t)), redisstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err := store.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(log.String(), "setting=appendonly"); got != 3 {
			t.Errorf("got %d warnings, want 3:\n%s", got, &log)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		if err := newStore(t, nowhere(t, nil), redisstore.Config{}).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("got error %v; want a refused connection", err)
		}
	})
}

// TestCheckOfInfo checks which servers are refused because of what they say about
// themselves.
func TestCheckOfInfo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ version, role, want string }{
		{"7.0.0", "master", ""},
		{"10.1", "master", ""},
		{"6.2.14", "master", "the server is Redis 6.2.14: use Redis 7.0 or later, or Valkey"},
		{"unstable", "master", "the server is Redis unstable: use Redis 7.0 or later, or Valkey"},
		{"7.0.0", "slave", "the server is a replica (role slave): give the client the address of the master"},
	} {
		info := &answering{value: "redis_version:" + row.version + "\r\nrole:" + row.role + "\r\nmaxmemory:0\r\naof_enabled:1\r\n"}
		err := newStore(t, nowhere(t, info), redisstore.Config{}).Check(t.Context())
		if row.want == "" && err != nil || row.want != "" && (err == nil || err.Error() != "redisstore: check: "+row.want) {
			t.Errorf("version %s, role %s: got error %v; want %s", row.version, row.role, err, cmp.Or(row.want, "none"))
		}
	}
}

func TestPassword(t *testing.T) {
	server := startServer(t, "--requirepass", "open sesame")
	for _, row := range []struct {
		password string
		ok       bool
	}{{"open sesame", true}, {"swordfish", false}, {"", false}} {
		client := redis.NewClient(&redis.Options{Addr: server.addr, Password: row.password, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		store := newStore(t, client, redisstore.Config{})
		err := store.Check(t.Context())
		if (err == nil) != row.ok {
			t.Errorf("password %q: got error %v, want one: %v", row.password, err, !row.ok)
		}
		if err != nil && row.password != "" && strings.Contains(err.Error(), row.password) {
			t.Errorf("error %v has the password", err)
		}
		if _, _, err := store.Find(t.Context(), session.ID{}); (err == nil) != row.ok {
			t.Errorf("password %q: got error %v, want one: %v", row.password, err, !row.ok)
		}
	}
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := func(kind string, content []byte) string {
		path := filepath.Join(t.TempDir(), "pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	port := freePort(t)
	startServer(t, "--tls-port", port, "--tls-auth-clients", "no",
		"--tls-cert-file", file("CERTIFICATE", certificate), "--tls-key-file", file("PRIVATE KEY", private))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	for _, row := range []struct {
		name   string
		config *tls.Config
		ok     bool
	}{
		{"trusted", &tls.Config{RootCAs: roots}, true},
		{"not trusted", &tls.Config{RootCAs: x509.NewCertPool()}, false},
		{"no TLS", nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, TLSConfig: row.config, ContextTimeoutEnabled: true})
			t.Cleanup(func() { client.Close() })
			store := newStore(t, client, redisstore.Config{})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := store.Check(ctx); (err == nil) != row.ok {
				t.Fatalf("got error %v, want one: %v", err, !row.ok)
			}
			if row.ok {
				advance(t, store, create(t, store, "alice"), openWindow, session.Rotated, 1)
				follow(t, store)
			}
		})
	}
}
