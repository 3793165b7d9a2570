package jwtgate

import (
	"fmt"
	"strings"
)

// unverified returns the error for a token that no key verified because of cause.
// reason, if not nil, says what else is wrong with the token. It is the more useful
// part in a log, as long as no good token of the issuer has come.
func unverified(cause, reason error) error {
	if reason == nil {
		return cause
	}
	return &unverifiedError{cause, reason}
}

// An unverifiedError is formatted only when it is logged.
type unverifiedError struct{ cause, reason error }

func (e *unverifiedError) Error() string {
	return fmt.Sprintf("%v (not verified: %s)", e.reason, strings.TrimPrefix(e.cause.Error(), "jwtgate: "))
}

func (e *unverifiedError) Unwrap() []error { return []error{e.cause, e.reason} }

// An issuerError is the error for a token whose iss is no configured issuer. It is
// formatted only when it is logged.
type issuerError struct {
	iss     string
	issuers []issuer
}

// maxNamedIssuers bounds how many of the configured issuers an error names.
const maxNamedIssuers = 10

// Error names the issuer of the token and those that are configured, because they
// often differ by a slash only.
func (e *issuerError) Error() string {
	var names []string
	for i := range e.issuers[:min(len(e.issuers), maxNamedIssuers)] {
		switch known := &e.issuers[i]; {
		case known.match != nil:
			names = append(names, "those of "+known.option("Match"))
		default:
			names = append(names, shown(known.name))
		}
	}
	if len(e.issuers) > maxNamedIssuers {
		names = append(names, "…")
	}
	if e.iss == "" {
		return "jwtgate: the token has no iss: the configured issuers are " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("jwtgate: iss is %s, which is none of the configured issuers: %s", shown(e.iss), strings.Join(names, ", "))
}

// Unwrap returns errIssuer.
func (e *issuerError) Unwrap() error { return errIssuer }

// An algorithmError is the alg of a token. It is formatted only when it is logged.
type algorithmError string

func (e algorithmError) Error() string {
	return fmt.Sprintf("jwtgate: alg is %s, for which the issuer has no key", shown(string(e)))
}
