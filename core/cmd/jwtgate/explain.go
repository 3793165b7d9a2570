package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/wanted"
	"github.com/jwtgate/jwtgate/core/keys"
)

// explain prints what a token says, and which settings it has to match.
func (p *program) explain(ctx context.Context, args []string) error {
	set := p.flags("explain", "[-key key.pem | -jwks https://…] [TOKEN]\n\nThe token is the argument, or is read from standard input.\nNever paste a token of a production system into a web page: whoever has it can use it.")
	file := set.String("key", "", "verify the signature with the secret or the PEM key in this file")
	address := set.String("jwks", "", "verify the signature with the JWK Set at this address, which is fetched")
	if err := parse(set, args, 1); err != nil {
		return err
	}
	text := set.Arg(0)
	if text == "" {
		data, err := io.ReadAll(io.LimitReader(p.stdin, 1<<20))
		if err != nil {
			return err
		}
		text = string(data)
	}
	t, err := decode(text)
	if err != nil {
		return err
	}
	out := &bytes.Buffer{}
	t.printHeader(out)
	t.printClaims(out, p.now())
	t.printChecks(out, p.now())
	verdict, err := p.verify(ctx, t, *file, *address)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nsignature\n  %s\n", verdict)
	_, err = p.stdout.Write(out.Bytes())
	return err
}

// A decodedToken is a token to explain. Its signature is not verified.
type decodedToken struct {
	compact        string
	header, claims map[string]any
}

// decode decodes the token in text, which may have the scheme Bearer before it.
func decode(text string) (*decodedToken, error) {
	text = strings.TrimSpace(text)
	if scheme, rest, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Bearer") {
		text = strings.TrimSpace(rest)
	}
	parts := strings.Split(text, ".")
	switch {
	case text == "":
		return nil, errors.New("there is no token: give it as an argument or on standard input")
	case len(parts) == 5:
		return nil, errors.New("the token is encrypted (JWE): only signed tokens are accepted")
	case len(parts) != 3:
		return nil, fmt.Errorf("a signed JWT must have 3 parts separated by dots, and this has %d: it is an opaque token, or it was cut off", len(parts))
	}
	t := &decodedToken{compact: text}
	for i, part := range []struct {
		name string
		into *map[string]any
	}{{"header", &t.header}, {"payload", &t.claims}} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, fmt.Errorf("the %s is not base64url without padding: the token was changed or cut off", part.name)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		if err := decoder.Decode(part.into); err != nil {
			return nil, fmt.Errorf("the %s is not a JSON object: this is not a JWT", part.name)
		}
	}
	return t, nil
}

func (t *decodedToken) printHeader(out *bytes.Buffer) {
	fmt.Fprintln(out, "header")
	printMembers(out, t.header, nil)
}

// printClaims prints the claims, and times in words beside them.
func (t *decodedToken) printClaims(out *bytes.Buffer, now time.Time) {
	fmt.Fprintln(out, "\nclaims")
	printMembers(out, t.claims, func(name string, value any) string {
		at, ok := date(value)
		if !ok || !slices.Contains([]string{"exp", "iat", "nbf", "auth_time"}, name) {
			return ""
		}
		return "   " + at.UTC().Format(time.RFC3339) + ", " + relative(at.Sub(now))
	})
}

// printMembers prints the members of an object in the order of their names.
func printMembers(out *bytes.Buffer, members map[string]any, comment func(name string, value any) string) {
	width := 0
	for name := range members {
		width = max(width, len(name))
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value, _ := json.Marshal(members[name]) // does not fail for what was decoded from JSON
		line := fmt.Sprintf("  %-*s  %s", width, name, value)
		if comment != nil {
			line += comment(name, members[name])
		}
		fmt.Fprintln(out, line)
	}
}

// printChecks prints the checks that a server makes, and the setting that each of
// them belongs to.
func (t *decodedToken) printChecks(out *bytes.Buffer, now time.Time) {
	fmt.Fprintln(out, "\nwhat a server checks")
	check := func(ok bool, name, text string, args ...any) {
		mark := "ok "
		if !ok {
			mark = "NO "
		}
		fmt.Fprintf(out, "  %s %-9s %s\n", mark, name, fmt.Sprintf(text, args...))
	}
	typ := strings.TrimPrefix(strings.ToLower(t.text(t.header, "typ")), "application/")
	check(typ == "" || typ == "jwt" || typ == "at+jwt", "typ", wanted.Type)
	alg := t.text(t.header, "alg")
	_, err := algorithmNamed(alg)
	check(err == nil || alg == "Ed25519", "alg", wanted.Algorithm+"; it is %q", alg)
	issuer := t.text(t.claims, "iss")
	check(issuer != "", "iss", wanted.Issuer+"; it is %q", issuer)
	_, hasAudience := t.claims["aud"]
	check(hasAudience, "aud", wanted.Audience+"; "+wanted.OtherAudience)
	check(identifier(t.claims["sub"]), "sub", wanted.Subject+"; "+wanted.OtherSubject)
	t.printTimes(check, now)
}

// printTimes prints the checks of exp, nbf and iat.
func (t *decodedToken) printTimes(check func(ok bool, name, text string, args ...any), now time.Time) {
	expires, ok := date(t.claims["exp"])
	if !ok {
		check(false, "exp", wanted.Expires)
		return
	}
	check(now.Before(expires), "exp", wanted.Future+" (Leeway allows for clocks that differ); it is %s", relative(expires.Sub(now)))
	issued, hasIssued := date(t.claims["iat"])
	if !hasIssued {
		issued = now
	}
	check(expires.Sub(issued) <= 24*time.Hour, "lifetime", wanted.Lifetime+", by default 24h0m0s; it is %v", expires.Sub(issued).Round(time.Second))
	for _, name := range []string{"nbf", "iat"} {
		if at, ok := date(t.claims[name]); ok {
			check(!at.After(now.Add(time.Minute)), name, wanted.Past+", by default 1m0s; it is %s", relative(at.Sub(now)))
		}
	}
}

// text returns the string member called name, or "" if there is none.
func (t *decodedToken) text(members map[string]any, name string) string {
	text, _ := members[name].(string)
	return text
}

// identifier reports whether value can be a subject: a string that is not empty, or a
// whole number.
func identifier(value any) bool {
	switch v := value.(type) {
	case string:
		return v != ""
	case json.Number:
		return strings.Trim(v.String(), "0123456789") == ""
	}
	return false
}

// date returns the time that a NumericDate (RFC 7519 §2) stands for.
func date(value any) (time.Time, bool) {
	number, _ := value.(json.Number) // if it is empty, Float64 returns an error
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// relative returns d as a time before or after now, in words.
func relative(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d == 0:
		return "now"
	case d > 0:
		return "in " + d.String()
	}
	return (-d).String() + " ago"
}

// verify returns what is known of the signature of t, which it checks with the key in
// file or the JWK Set at address.
func (p *program) verify(ctx context.Context, t *decodedToken, file, address string) (string, error) {
	var source keys.Source
	switch {
	case file != "" && address != "":
		return "", errors.New("-key and -jwks are both set: use one of them")
	case address != "":
		source = keys.Remote{URL: address}
	case file != "":
		alg, err := algorithmNamed(t.text(t.header, "alg"))
		if err != nil {
			return "", errors.New("-key: the token's alg is not supported, so its signature cannot be checked")
		}
		data, err := readFile(file)
		if err != nil {
			return "", err
		}
		source = alg.key(data).WithID(cmp.Or(t.text(t.header, "kid"), "key"))
	default:
		return "not checked: give a key with -key or a JWK Set with -jwks", nil
	}
	auth, err := jwtgate.New(jwtgate.Config{Issuer: t.text(t.claims, "iss"), InsecureAnyIssuer: true, InsecureAnyAudience: true, Keys: source, Debug: true, Logger: slog.New(slog.DiscardHandler), Now: p.now})
	if err != nil {
		return "", keyError(err)
	}
	defer auth.Close()
	d := auth.Decide(ctx, jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + t.compact}}})
	switch {
	case d.Refusal == nil:
		return "matches the key, and a server with this key that trusts the issuer and the audience accepts the token", nil
	case d.Refusal.Code == jwtgate.CodeTokenExpired:
		return "matches the key, but the token has expired", nil
	}
	return fmt.Sprintf("the token is refused: %s", strings.TrimPrefix(d.Refusal.Err.Error(), "jwtgate: ")), nil
}
