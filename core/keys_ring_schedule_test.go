package jwtgate_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Each key is announced for an interval before it signs. An error of the generator only
// delays the next key.
func TestRotateEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ring := keys.NewRing(ringKey(0))
		auth := newVerifier(t, ring, func(c *jwtgate.Config) { c.Now = nil })
		var asked []time.Duration
		generate := func(context.Context) (keys.Key, error) {
			asked = append(asked, time.Since(began).Round(time.Second))
			switch n := len(asked); n {
			case 3:
				return keys.Key{}, errors.New("the vault is sealed")
			case 4:
				return keys.ES256(&p256Key.PublicKey), nil
			case 5:
				return keys.HS256(secret[:31]), nil
			default:
				return ringKey(n), nil
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		var log bytes.Buffer
		ended := make(chan error, 1)
		go func() {
			ended <- ring.RotateEvery(ctx, time.Hour, generate, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		for _, step := range []struct {
			at   time.Duration
			want string
		}{
			{0, "0 signs, 1 is next"},
			{time.Hour - 1, "0 signs, 1 is next"},
			{time.Hour, "1 signs, 2 is next"},
			{2*time.Hour - 1, "1 signs, 2 is next"},
			{2 * time.Hour, "2 signs"},
			{2*time.Hour + 3*time.Minute - 1, "2 signs"},
			{2*time.Hour + 3*time.Minute, "2 signs, 6 is next"},
			{3*time.Hour + 3*time.Minute - 1, "2 signs, 6 is next"},
			{3*time.Hour + 3*time.Minute, "6 signs, 7 is next"},
		} {
			time.Sleep(step.at - time.Since(began))
			synctest.Wait()
			got, _, _ := strings.Cut(ring.String(), ", HS256 key 0 verifies until")
			if got = strings.ReplaceAll(got, "HS256 key ", ""); got != step.want && !strings.HasPrefix(got, step.want+",") {
				t.Errorf("after %v: got the keys %s; want %s", step.at, got, step.want)
			}
			decide(t, auth, withBearer(jwtgatetest.Token(t, auth, "alice")), accepted)
		}
		cancel(errors.New("the server stops"))
		if err := <-ended; err == nil || err.Error() != "the server stops" {
			t.Errorf("got %v; want the cause of the end", err)
		}
		if got := strings.Count(log.String(), "level=ERROR"); got != 3 || !strings.Contains(log.String(), "the vault is sealed") {
			t.Errorf("got %d errors in the log; want 3:\n%s", got, &log)
		}
		if got := strings.Count(log.String(), "level=INFO"); got != 7 || !strings.Contains(log.String(), `keys="HS256 key 6 signs, HS256 key 7 is next`) {
			t.Errorf("got %d changes in the log; want 7:\n%s", got, &log)
		}
		checkNoSecret(t, log.String())
	})
}

// The end of the context while a key is generated is not logged as an error.
func TestRotateEveryEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ring := keys.NewRing(ringKey(0))
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{nil, slog.New(slog.NewTextHandler(&log, nil))} {
		err := ring.RotateEvery(ctx, 5*time.Minute, func(ctx context.Context) (keys.Key, error) {
			cancel()
			return keys.Key{}, ctx.Err()
		}, logger)
		if !errors.Is(err, context.Canceled) || log.Len() > 0 {
			t.Errorf("got %v and %q; want context.Canceled and no line", err, &log)
		}
	}
	for _, logger := range []*slog.Logger{nil, slog.New(slog.NewTextHandler(&log, nil))} {
		if err := ring.RotateEvery(t.Context(), 5*time.Minute-1, nil, logger); err == nil || !strings.Contains(err.Error(), "at least 5m0s") {
			t.Errorf("got %v for an interval too short", err)
		}
	}
	if strings.Count(log.String(), "level=ERROR") != 1 || !strings.Contains(log.String(), "at least 5m0s") {
		t.Errorf("got the log %q for an interval too short; want a line that says so", &log)
	}
}
