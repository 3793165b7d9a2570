// Package settings reads the settings of the example servers from environment
// variables. It reports wrong values in one line that names each variable.
package settings

import (
	"log/slog"
	"os"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/metrics"
)

// Settings are the settings of an example server.
type Settings struct {
	Addr        string         // the address to listen on
	Auth        jwtgate.Config // complete except for Sessions.Subject
	FreshKey    bool           // Auth.Keys is new and random because JWT_KEY is not set
	RecentLogin time.Duration  // the maximum age of a login for GET /recent

	Metrics     *metrics.Metrics // nil unless METRICS_ADDR is set
	MetricsAddr string           // the address to serve them on

	// ReloadKeys reads the files of JWT_KEY again, into Auth.Keys. If it fails,
	// the keys stay unchanged. It is nil if the keys do not come from files.
	ReloadKeys func() error
}

// maxLifetime is the default of MAX_LIFETIME, unless ACCESS_TTL is longer.
const maxLifetime = 24 * time.Hour

// Load reads the environment of the process. An empty variable counts as unset.
func Load() (Settings, error) { return load(os.Getenv) }

func load(getenv func(string) string) (Settings, error) {
	env := environment{get: getenv}
	debug := env.bool("DEBUG")
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	// Standard error is reserved for the line that Exit prints.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	s := Settings{
		Addr:        env.text("ADDR", "127.0.0.1:8080"),
		RecentLogin: env.duration("RECENT_LOGIN", 5*time.Minute),
		Auth: jwtgate.Config{
			Issuer:    env.text("JWT_ISSUER", "https://auth.example.test"),
			Audience:  env.text("JWT_AUDIENCE", "https://api.example.test"),
			Trusted:   env.trusted(),
			Resource:  env.text("RESOURCE_URL", ""),
			AccessTTL: env.duration("ACCESS_TTL", 15*time.Minute),
			Cookies: &jwtgate.CookieConfig{
				Name:           env.text("COOKIE_NAME", ""),
				TrustedOrigins: env.list("TRUSTED_ORIGINS"),
				InsecureHTTP:   env.bool("INSECURE_HTTP"),
				ReissueRefresh: env.bool("REISSUE_REFRESH"),
			},
			Sessions: &jwtgate.SessionConfig{
				Store:          env.store(logger),
				Keys:           env.secrets("REFRESH_KEY"),
				RefreshTTL:     env.duration("REFRESH_TTL", 168*time.Hour),
				SessionTTL:     env.duration("SESSION_TTL", 720*time.Hour),
				RetireReplaced: env.bool("RETIRE_REPLACED"),
				AllowList:      env.bool("ALLOW_LIST"),
				MaxSessions:    env.limit("MAX_SESSIONS", 100),
				MaxLag:         env.duration("REVOCATION_MAX_LAG", 30*time.Second),
				Limiter:        &jwtgate.PasswordLimiter{Failures: env.int("LOGIN_FAILURES", 30)},
			},
			Debug:  debug,
			Logger: logger,
		},
	}
	s.Auth.MaxLifetime = env.duration("MAX_LIFETIME", max(maxLifetime, s.Auth.AccessTTL))
	s.Auth.Sessions.ReuseWindow = env.durationOrZero("REUSE_WINDOW", 10*time.Second)
	s.Auth.Sessions.SingleUse = s.Auth.Sessions.ReuseWindow == 0
	s.Auth.Keys, s.FreshKey, s.ReloadKeys = env.source()
	if addr := env.text("METRICS_ADDR", ""); addr != "" {
		if s.Metrics, s.MetricsAddr = env.metrics(addr), addr; s.Metrics != nil {
			s.Auth.Observers = append(s.Auth.Observers, s.Metrics.Observer())
		}
	}
	return s, env.err()
}
