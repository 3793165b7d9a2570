package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// token prints a signed access token.
func (p *program) token(ctx context.Context, args []string) error {
	set := p.flags("token", "[-alg HS256] -key FILE -iss ISSUER -aud AUDIENCE -sub SUBJECT [-role ROLE …]")
	name := set.String("alg", "HS256", "the algorithm of the key")
	file := set.String("key", "", "the path of a file with the secret or the PEM private key; without it, the secret in the environment variable JWT_KEY is used")
	issuer := set.String("iss", "", "the issuer: Config.Issuer of your server")
	audience := set.String("aud", "", "the audience: Config.Audience of your server")
	subject := set.String("sub", "alice", "the subject")
	ttl := set.Duration("ttl", 15*time.Minute, "how long the token lives")
	var roles, scopes, further list
	set.Var(&roles, "role", "a role; can be repeated")
	set.Var(&scopes, "scope", "a scope; can be repeated")
	set.Var(&further, "claim", "a further claim as NAME=JSON, such as tenant='\"acme\"'; can be repeated")
	if err := parse(set, args, 0); err != nil {
		return err
	}
	alg, err := algorithmNamed(*name)
	if err != nil {
		return err
	}
	key, err := readKey(alg, *file)
	if err != nil {
		return err
	}
	grant := jwtgate.Grant{Subject: *subject, Roles: roles, Scopes: scopes}
	if grant.Claims, err = parseClaims(further); err != nil {
		return err
	}
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:      *issuer,
		Audience:    *audience,
		Keys:        alg.key(key),
		AccessTTL:   *ttl,
		MaxLifetime: max(*ttl, 0), // if -ttl is negative, only AccessTTL is wrong
		Now:         p.now,
	})
	if err != nil {
		return tokenError(err)
	}
	defer auth.Close()
	access, err := auth.Issue(ctx, grant)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, access.Token)
	return err
}

// readKey returns the content of file, or the secret in JWT_KEY.
func readKey(alg *algorithm, file string) ([]byte, error) {
	if file == "" {
		secret := os.Getenv("JWT_KEY")
		switch {
		case alg.generate != nil:
			return nil, fmt.Errorf("-key is missing: set it to the path of a PEM file with a private key for %s", alg.name)
		case secret == "":
			return nil, errors.New("-key is missing: set it to the path of a file with the secret, or put the secret into the environment variable JWT_KEY")
		}
		return []byte(secret), nil
	}
	return readFile(file)
}

// parseClaims returns the claims of the flags -claim.
func parseClaims(flags list) (map[string]json.RawMessage, error) {
	claims := make(map[string]json.RawMessage, len(flags))
	for _, text := range flags {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" || !json.Valid([]byte(value)) {
			return nil, fmt.Errorf("-claim is %q: use NAME=JSON, such as tenant='\"acme\"' or level=3", text)
		}
		claims[name] = json.RawMessage(value)
	}
	return claims, nil
}

// tokenError returns the mistakes that jwtgate.New reports as mistakes of flags.
func tokenError(err error) error {
	named := map[string]string{"Issuer": "-iss", "Audience": "-aud", "Keys": "-key", "AccessTTL": "-ttl"}
	var mistake *jwtgate.ConfigError
	if errors.As(err, &mistake) && named[mistake.Field] != "" {
		reason, _, _ := strings.Cut(mistake.Reason, ", or set Insecure")
		return fmt.Errorf("%s %s", named[mistake.Field], reason)
	}
	return err
}
