package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// minVersion is the first major version of Redis that has all commands that the
// scripts use.
const minVersion = 7

// Check checks that the server, or every master of a cluster, can keep
// sessions. It returns an error if the server cannot be reached, is a replica,
// or is older than Redis 7.0. For each setting that can lose sessions or
// revocations, it writes a warning to [Config].Logger.
//
// Call Check when a program starts. A program may start in spite of the error: a
// Store connects whenever it needs the server.
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
	version := infoField(info, "redis_version") // for Valkey, the version of Redis that it is compatible with
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < minVersion {
		return fmt.Errorf("the server is Redis %s: use Redis %d.0 or later, or Valkey", version, minVersion)
	}
	if role := infoField(info, "role"); role != "master" {
		return fmt.Errorf("the server is a replica (role %s): give the client the address of the master", role)
	}
	warn := func(message, setting, value string) {
		s.config.Logger.WarnContext(ctx, message, "setting", setting, "value", value, "server", server.Options().Addr)
	}
	if policy := infoField(info, "maxmemory_policy"); infoField(info, "maxmemory") != "0" && policy != "noeviction" {
		warn("the server may evict sessions and revocations when its memory is full: set maxmemory-policy to noeviction", "maxmemory-policy", policy)
	}
	if infoField(info, "aof_enabled") == "0" {
		warn("the server may lose the latest sessions and revocations when it restarts: set appendonly to yes", "appendonly", "no")
	}
	return nil
}
