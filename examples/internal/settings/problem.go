package settings

import (
	"errors"
	"fmt"
	"os"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A Problem is an environment variable whose value cannot be used.
type Problem struct {
	Variable string
	Reason   string // what is wrong and how to fix it; never contains a secret
}

// Error names the variable and the reason.
func (p *Problem) Error() string { return p.Variable + ": " + p.Reason }

// Exit prints err in one line on standard error and ends the program with status 1.
func Exit(err error) {
	fmt.Fprintln(os.Stderr, explain(err))
	os.Exit(1)
}

// variables maps the fields of a jwtgate.Config to the variables that set them.
var variables = map[string]string{
	"Issuer":                    "JWT_ISSUER",
	"Audience":                  "JWT_AUDIENCE",
	"Keys":                      "JWT_KEY",
	"Trusted[0].Name":           "OIDC_ISSUER",
	"Trusted[0].Keys":           "OIDC_ISSUER",
	"AccessTTL":                 "ACCESS_TTL",
	"MaxLifetime":               "MAX_LIFETIME",
	"Resource":                  "RESOURCE_URL",
	"Cookies.Name":              "COOKIE_NAME",
	"Cookies.TrustedOrigins":    "TRUSTED_ORIGINS",
	"Sessions.Keys":             "REFRESH_KEY",
	"Sessions.RefreshTTL":       "REFRESH_TTL",
	"Sessions.SessionTTL":       "SESSION_TTL",
	"Sessions.ReuseWindow":      "REUSE_WINDOW",
	"Sessions.MaxSessions":      "MAX_SESSIONS",
	"Sessions.Limiter.Failures": "LOGIN_FAILURES",
	"Sessions.MaxLag":           "REVOCATION_MAX_LAG",
}

// explain returns err in one line and replaces field names by variable names.
func explain(err error) string {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, err := range several.Unwrap() {
			lines = append(lines, explain(err))
		}
		return strings.Join(lines, "; ")
	}
	var mistake *jwtgate.ConfigError
	if errors.As(err, &mistake) && variables[mistake.Field] != "" {
		err = &Problem{variables[mistake.Field], mistake.Reason}
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
