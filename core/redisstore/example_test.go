package redisstore_test

import (
	"context"
	"log"
	"log/slog"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/redis/go-redis/v9"
)

var (
	signingSecret = []byte("a secret of at least 32 bytes, from the environment")
	refreshSecret = []byte("another secret of at least 32 bytes, the same in all processes")
)

func loadUser(_ context.Context, subject string) (jwtgate.Grant, error) {
	if subject != "alice" {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}

func Example() {
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:                 []string{"localhost:6379"}, // one server, several of a cluster, or the Sentinels together with MasterName
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{
		WaitReplicas: 1, // sessions that were ended stay ended after a failover
		Logger:       slog.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Check(context.Background()); err != nil {
		log.Fatal(err)
	}
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(signingSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject: loadUser,
			Store:   store,
			Keys:    [][]byte{refreshSecret},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()
}
