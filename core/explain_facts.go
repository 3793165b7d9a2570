package jwtgate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// facts are what a refused request says, as far as it can be read. The signature of
// its token is not verified, so the facts decide nothing.
type facts struct {
	auth    *Auth
	req     Request
	now     time.Time
	token   string // the access token, empty if there is not exactly one
	syntax  error  // why the token is not well-formed, from package jose
	header  jose.Header
	claims  jose.Claims
	members map[string]json.RawMessage // the claims as they are written
	issuer  *issuer                    // the configured issuer that iss names, nil if there is none
}

// facts reads req again.
func (a *Auth) facts(req Request) *facts {
	f := &facts{auth: a, req: req, now: a.config.Now()}
	found, _ := a.credential(&req) // with an error, there is no token
	f.token = found.access
	parsed, err := jose.Parse(f.token)
	if err != nil {
		f.syntax = err
		return f
	}
	f.header = parsed.Header
	payload, err := parsed.Payload(nil)
	if err != nil {
		f.syntax = err
		return f
	}
	_ = json.Unmarshal(payload, &f.members) // no members if it is no object
	var layout *jose.Layout
	if f.issuer = a.issuerNamed(f.text("iss")); f.issuer != nil {
		layout = f.issuer.layout
	}
	f.syntax = f.claims.Parse(string(payload), layout)
	if f.syntax == nil {
		_, f.syntax = parsed.Signature(nil)
	}
	return f
}

// issuerNamed returns the issuer of tokens whose iss is name, nil if there is none.
func (a *Auth) issuerNamed(name string) *issuer {
	var found *issuer
	for i := range a.issuers {
		switch issuer := &a.issuers[i]; {
		case issuer.name == name && issuer.match == nil && name != "":
			return issuer
		case found == nil && issuer.issues(name):
			found = issuer
		}
	}
	return found
}

// option returns the name of a field of the issuer of the token.
func (f *facts) option(name string) string {
	if f.issuer == nil {
		return "Config." + name
	}
	return f.issuer.option(name)
}

// option returns the name of a field of i.
func (i *issuer) option(name string) string { return "Config." + i.field + name }

// text returns the claim called name if it is a string, else "".
func (f *facts) text(name string) string {
	var text string
	if json.Unmarshal(f.members[name], &text) != nil {
		return ""
	}
	return text
}

// at returns the claim at path, as the payload has it, nil if there is none.
func (f *facts) at(path jose.Path) json.RawMessage {
	members, found := f.members, json.RawMessage(nil)
	for _, name := range path {
		found = members[name]
		members = nil
		_ = json.Unmarshal(found, &members) // no members if it is no object
	}
	if string(found) == "null" {
		return nil // counts as absent
	}
	return found
}

// present returns the first of names that is a claim of the token, "" if none is.
func (f *facts) present(names ...string) string {
	for _, name := range names {
		if f.at(jose.Path{name}) != nil {
			return name
		}
	}
	return ""
}

const (
	maxShown  = 100 // the length of the longest value in an explanation, in bytes
	maxListed = 8   // the number of values in a list of an explanation
)

// shown returns text, which anyone can have sent, in quotation marks, shortened and in
// ASCII, so that letters that look alike differ.
func shown(text string) string {
	if len(text) > maxShown {
		return strconv.QuoteToASCII(text[:maxShown]) + "..."
	}
	return strconv.QuoteToASCII(text)
}

// shownJSON returns value, the JSON of a claim, shortened and in ASCII. It is shown as
// it is written, so that a number is told from a string.
func shownJSON(value json.RawMessage) string {
	return printable(string(value), maxShown)
}

// printable returns text in ASCII, shortened to about limit bytes.
func printable(text string, limit int) string {
	var b strings.Builder
	for _, r := range text {
		if b.Len() >= limit {
			return b.String() + "..."
		}
		if ' ' <= r && r <= '~' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// shownList returns texts as shown returns them, with commas between, and at most
// maxListed of them.
func shownList(texts []string) string {
	var list []string
	for _, text := range texts[:min(len(texts), maxListed)] {
		list = append(list, shown(text))
	}
	if len(texts) > maxListed {
		list = append(list, fmt.Sprintf("and %d more", len(texts)-maxListed))
	}
	return strings.Join(list, ", ")
}
