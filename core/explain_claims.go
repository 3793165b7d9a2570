package jwtgate

import (
	"fmt"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/internal/wanted"
)

// issuerText explains a token whose iss is no configured issuer, or not that of its key.
func (f *facts) issuerText() string {
	iss := f.text("iss")
	if f.issuer != nil {
		return fmt.Sprintf("iss is %s, which is configured, but the token is signed with a key of another issuer", shown(iss))
	}
	text := strings.TrimPrefix((&issuerError{iss, f.auth.issuers}).Error(), "jwtgate: ")
	for i := range f.auth.issuers {
		known := &f.auth.issuers[i]
		option := known.option("Name")
		if i == 0 {
			option = "Config.Issuer"
		}
		switch {
		case iss == "" || known.name == "":
		case strings.TrimSuffix(iss, "/") == strings.TrimSuffix(known.name, "/"):
			return text + "; it differs from " + option + " by a slash at the end only, and must be equal"
		case strings.EqualFold(iss, known.name):
			return text + "; it differs from " + option + " by upper and lower case only, and must be equal"
		}
	}
	return text + "; iss " + wanted.Issuer
}

func (f *facts) audienceText() string {
	option, claim, verb := f.option("Audience"), "aud", "is"
	var audiences []string
	if f.issuer != nil {
		audiences, claim = f.issuer.audiences, f.issuer.audienceClaim
	}
	if len(audiences) > 1 {
		option, verb = option+" and OtherAudiences", "are"
	}
	text := fmt.Sprintf("%s, but %s; %s %s %s", f.found(claim), wanted.Audience, option, verb, shownList(audiences))
	if f.claimAt(claim) != "" {
		return text + ": ask the issuer for a token for this audience, or list the other one"
	}
	text += "; " + wanted.OtherAudience
	if other := f.present("client_id", "azp", "cid", "appid"); claim == "aud" && other != "" {
		text += ", such as " + other + ", which the token has"
	}
	return text
}

func (f *facts) subjectText() string {
	claim := "sub"
	if f.issuer != nil {
		claim = f.issuer.subjectClaim
	}
	text := fmt.Sprintf("%s, but %s; %s", f.found(claim), wanted.Subject, wanted.OtherSubject)
	if other := f.present("user_id", "uid", "id", "username", "preferred_username"); claim == "sub" && other != "" {
		text += ", such as " + other + ", which the token has"
	}
	return text + "; " + f.option("OptionalSubject") + " accepts tokens without a subject"
}

// found says what the claim at a place such as that of SubjectClaim is.
func (f *facts) found(claim string) string {
	if value := f.claimAt(claim); value != "" {
		return claim + " is " + value
	}
	return claim + " is missing"
}

// claimAt returns the claim at a place such as that of SubjectClaim, as it is shown, or
// "" if there is none.
func (f *facts) claimAt(claim string) string {
	path, _ := jose.ParsePath(claim) // New has checked it
	return shownJSON(f.at(path))
}

func (f *facts) typeText() string {
	return fmt.Sprintf("typ in the header is %s, but %s: send an access token", shown(f.header.Type), wanted.Type)
}

func (f *facts) idTokenText() string {
	mark := "typ in the payload is ID, or token_use is id"
	if name := f.present("at_hash", "c_hash", "nonce"); name != "" {
		mark = "it has " + name
	}
	return fmt.Sprintf("the token is an ID token (%s): ask the issuer for access tokens, or set %s if it has none for this server", mark, f.option("AcceptIDTokens"))
}

func (f *facts) useText() string {
	what := "token is for another use than access (token_use is " + shown(f.claims.TokenUse) + ")"
	switch {
	case f.claims.Type == "Refresh" || f.claims.Type == "Offline":
		what = "token is a refresh token (typ in the payload is " + f.claims.Type + ")"
	case f.claims.Type == "Logout":
		what = "token is a logout token (typ in the payload is Logout)"
	case f.claims.HasEvents:
		what = "token is a logout token or a security event (it has events)"
	}
	return "the " + what + ": send the access token"
}

func (f *facts) expiryText() string {
	return fmt.Sprintf("%s, but %s: have the issuer set it, in seconds since 1970", f.found("exp"), wanted.Expires)
}

func (f *facts) expiredText() string {
	ago := f.now.Unix() - f.claims.Expires
	text := fmt.Sprintf("exp is %s, %s ago by the clock of this server, but %s", date(f.claims.Expires), span(ago), wanted.Future)
	if f.issuer != nil {
		text += fmt.Sprintf("; %s is %s", f.option("Leeway"), span(f.issuer.leeway))
	}
	text += ": refresh the token or sign in again"
	if ago <= int64(keyaccess.MaxLeeway/time.Second) {
		text += "; if the clocks differ, correct them, or allow more"
	}
	return text
}

func (f *facts) earlyText() string {
	name, at := "iat", f.claims.IssuedAt
	if f.claims.NotBefore > at {
		name, at = "nbf", f.claims.NotBefore
	}
	text := fmt.Sprintf("%s is %s ahead of the clock of this server, but %s", name, span(at-f.now.Unix()), wanted.Past)
	if f.issuer != nil {
		text += fmt.Sprintf("; %s is %s", f.option("ClockSkew"), span(f.issuer.clockSkew))
	}
	return text + ": correct the clocks, or allow more"
}

func (f *facts) lifetimeText() string {
	issued, from := f.claims.IssuedAt, "iat"
	if issued == 0 {
		issued, from = f.now.Unix(), "now"
	}
	text := fmt.Sprintf("the lifetime of the token, exp minus %s, is %s, but %s", from, span(f.claims.Expires-issued), wanted.Lifetime)
	if f.issuer != nil {
		text += fmt.Sprintf("; %s is %s", f.option("MaxLifetime"), span(f.issuer.maxLifetime))
	}
	if f.claims.Expires > 1e11 {
		return text + ": exp must be in seconds, and this looks like milliseconds"
	}
	return text + ": have the issuer shorten it, or allow more"
}

// date returns a NumericDate (RFC 7519 §2) as text.
func date(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// span returns a positive number of seconds as text. It may be too large for a Duration.
func span(seconds int64) string {
	if const100Years := int64(100 * 365 * 24 * 60 * 60); seconds > const100Years {
		return fmt.Sprintf("%d seconds", seconds)
	}
	return (time.Duration(seconds) * time.Second).String()
}
