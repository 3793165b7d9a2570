package jwtgate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// missingText explains a request without credentials.
func (f *facts) missingText() string {
	if f.token != "" { // the token is in a cookie, and its key is no longer held
		return "the cookie " + f.auth.cookies.access + " counts as absent: " + f.keyIDText()
	}
	text := "the request has no Authorization field"
	if lines := f.req.values("Authorization"); len(lines) > 0 && lines[0] != "" {
		if strings.Count(lines[0], ".") == 2 && !strings.Contains(lines[0], " ") {
			return "the Authorization field has a token without the word Bearer before it" + bearerSyntax
		}
		text = "the Authorization field has another scheme than Bearer" + knownScheme(lines[0])
	}
	c := f.auth.cookies
	if c == nil {
		return text + bearerSyntax
	}
	if _, refresh, _ := cookie(f.req.values("Cookie"), c.refresh); refresh && f.auth.sessions != nil {
		return text + ", and the cookie " + c.refresh + " alone does not sign in a request that opens a channel, whose guard has NoRenewal, or that may come from another site (Config.Cookies.SameSite)"
	}
	return text + " and no cookie " + c.access + bearerSyntax + ", or sign in" + f.plainText()
}

// plainText explains why a browser has no cookies, if that can be known.
func (f *facts) plainText() string {
	host := f.auth.plainHost(&f.req)
	if host == "" {
		return ""
	}
	return fmt.Sprintf("; browsers drop Secure cookies of %s, because it is plain HTTP and not localhost: use HTTPS, or http://localhost, or Config.Cookies.InsecureHTTP for development", shown(host))
}

const bearerSyntax = `: send "Authorization: Bearer " and the access token`

// knownScheme returns the scheme of an Authorization field in brackets, if it is a known
// one. Any other word can be a part of a secret.
func knownScheme(line string) string {
	word, _, _ := strings.Cut(line, " ")
	for _, known := range []string{"Basic", "Digest", "DPoP", "JWT", "Negotiate", "Token", "ApiKey"} {
		if strings.EqualFold(word, known) {
			return " (" + known + ")"
		}
	}
	return ""
}

func (f *facts) refreshMissingText() string {
	text := "the body has no parameter refresh_token"
	c := f.auth.cookies
	if c == nil {
		return text
	}
	return text + ", and there is no cookie " + c.refresh + f.plainText()
}

func (f *facts) twoCookiesText() string {
	c := f.auth.cookies
	text := fmt.Sprintf("the request has a cookie named %s or %s twice", c.access, c.refresh)
	if c.Domain != "" {
		text += ", one of the host and one of the domain (Config.Cookies.Domain): both are deleted"
	}
	return text
}

func (f *facts) sizeText() string {
	return fmt.Sprintf("the token is longer than %d bytes, which is Config.MaxTokenSize", f.auth.config.MaxTokenSize)
}

// notATokenText explains a credential that is not exactly one token.
func (f *facts) notATokenText() string {
	value := ""
	if lines := f.req.values("Authorization"); len(lines) == 1 {
		_, value, _ = strings.Cut(lines[0], " ")
	}
	value = strings.TrimSpace(value)
	switch first, _, several := strings.Cut(value, " "); {
	case value == "":
		return "there is no token after the word Bearer" + bearerSyntax
	case strings.EqualFold(first, "Bearer"):
		return "the word Bearer is there twice" + bearerSyntax
	case several || strings.Contains(value, ","):
		return "there must be one token after the word Bearer, and there is more" + bearerSyntax + " alone"
	case strings.ContainsAny(value, `"'<>{}`):
		return "the token is in quotation marks or brackets: send it without"
	}
	return "the token has a character that no token has, or its payload is not a JSON object"
}

// syntaxText explains a token that is not a well-formed JWT.
func (f *facts) syntaxText() string {
	if f.syntax == nil {
		return ""
	}
	if s := f.auth.sessions; s != nil {
		if _, err := s.codec.Decode(f.token); err == nil {
			return "the token is a refresh token of this server: send it to the refresh endpoint, and the access token here"
		}
	}
	if slices.Contains([]string{"undefined", "null", "NaN", "true", "false"}, f.token) {
		return "the token is the word " + f.token + ": the client sends a variable that is not set"
	}
	for _, name := range []string{"exp", "nbf"} {
		if value := f.claimAt(name); value != "" && strings.Trim(value[:1], "-0123456789") != "" {
			return name + " is " + value + ", but must be a number of seconds since 1970"
		}
	}
	text := "the token is not a well-formed JWT: " + strings.TrimPrefix(f.syntax.Error(), "jose: ")
	switch strings.Count(f.token, ".") {
	case 2:
	case 4:
		text += "; it looks encrypted (JWE), and only signed tokens are accepted"
	default:
		text += "; it is an opaque token, a refresh token or only a part of a token: ask the issuer for access tokens that are JWTs"
	}
	return text
}

// explain is a part of causer.
func (e *originError) explain(f *facts) string {
	origin, site := f.req.First("Origin"), f.req.First("Sec-Fetch-Site")
	var text string
	switch {
	case origin == "" && site == "":
		text = "the request has neither Origin nor Sec-Fetch-Site, one of which Config.Cookies.SameSite None requires"
	case origin == "":
		text = fmt.Sprintf("Sec-Fetch-Site is %s, and there is no Origin", shown(site))
	default:
		text = fmt.Sprintf("Origin is %s, but must be that of this server, whose Host is %s", shown(origin), shown(f.req.Host))
	}
	c := f.auth.cookies
	if c == nil {
		return text + "; a field of Config.TokenHeaders that only clients set themselves can have InsecureAnyOrigin"
	}
	if len(c.TrustedOrigins) == 0 {
		text += ", or one of Config.Cookies.TrustedOrigins, which is empty"
	} else {
		text += ", or one of Config.Cookies.TrustedOrigins: " + shownList(c.TrustedOrigins)
	}
	return text + ". A proxy in front must pass the Host on"
}

func (f *facts) bodyTypeText() string {
	found := f.req.First("Content-Type")
	if found == "" {
		return "there is no Content-Type"
	}
	return "Content-Type is " + shown(found)
}

// explain is a part of causer. Names of parameters are shown only if they are common
// ones: a password that is sent without encoding can be a part of a name.
func (e *missingError) explain(f *facts) string {
	wanted := strings.Join(e.names, " and ")
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(e.params)), func(name string) bool { return name == "username" || name == "password" })
	similar := slices.DeleteFunc(slices.Clone(others), func(name string) bool {
		return !slices.ContainsFunc(similarNames, func(known string) bool { return strings.EqualFold(name, known) })
	})
	switch {
	case len(similar) > 0:
		return "the body has " + strings.Join(similar, " and ") + ", but must have " + wanted
	case len(others) == 0 && len(e.params) > 0:
		return "the body must have " + wanted + ", a string that is not empty"
	case len(others) == 0:
		return "the body has no parameters that are strings and not empty, and its Content-Type is " + shown(f.req.First("Content-Type"))
	}
	return fmt.Sprintf("the body has other parameters (%d), but must have %s, a string that is not empty", len(others), wanted)
}

// similarNames are names that clients use in place of username and password.
var similarNames = []string{
	"username", "user", "user_name", "user-name", "name", "email", "e-mail", "mail", "login", "account",
	"password", "pass", "passwd", "pwd", "passphrase", "user_password",
}
