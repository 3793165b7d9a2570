package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// minVersion is the first version of Redis with all that the scripts use.
const minVersion = 7

// Check asks the server, in a cluster every master, whether it can keep sessions.
// It is for the start of a program, which may go on without: a Store finds its
// server whenever there is one. An error says that it cannot be reached, is a
// replica, or is too old. Settings by which sessions or revocations can be lost
// are a warning each, in [Config].Logger.
func (s *Store) Check(ctx context.Context) error {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return failed(ctx, "check", cluster.ForEachMaster(ctx, s.checkServer))
	}
	return failed(ctx, "check", s.checkServer(ctx, s.client.(*redis.Client)))
}

func (s *Store) checkServer(ctx context.Context, server *redis.Client) error {
	info, err := server.Info(ctx).Result()
	if err != nil {
		return err
	}
	version := infoField(info, "redis_version") // of Valkey too: the version that it is compatible with
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < minVersion {
		return fmt.Errorf("the server is Redis %s: use %d.0 or later, or Valkey", version, minVersion)
	}
	if role := infoField(info, "role"); role != "master" {
		return fmt.Errorf("the server is a replica (role %s): give the client the address of its master", role)
	}
	warn := func(message, setting, value string) {
		s.config.Logger.WarnContext(ctx, message, "setting", setting, "value", value, "server", server.Options().Addr)
	}
	if policy := infoField(info, "maxmemory_policy"); infoField(info, "maxmemory") != "0" && policy != "noeviction" {
		warn("the session store may drop sessions and revocations when its memory is full: use noeviction", "maxmemory-policy", policy)
	}
	if infoField(info, "aof_enabled") == "0" {
		warn("the session store may forget its latest sessions and revocations when it restarts: use yes", "appendonly", "no")
	}
	return nil
}
