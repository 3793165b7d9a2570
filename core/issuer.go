package jwtgate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A TrustedIssuer is another issuer whose access tokens are accepted. A key of one
// issuer never verifies a token of another, whatever the token's kid is.
type TrustedIssuer struct {
	_ [0]func()

	// Name is the iss of its tokens, compared exactly. Required, unless Match is set.
	Name string

	// Match, in place of Name, reports whether iss is an issuer of this group, such as
	// the tenants of one provider, which share their keys. It is called only for an
	// iss that is not empty and is not the name of another issuer, and it is called
	// before the signature is checked, so iss can be anything. Compare it with a list
	// of the tenants that you know: whoever can open an account at the provider can
	// have a tenant. Keys must then say where the keys are, because no address is ever
	// built from iss. Match should be fast, and must be safe for concurrent use.
	Match func(iss string) bool

	// Audience is the audience that its tokens must name. The default is
	// [Config.Audience] and [Config.OtherAudiences], unless AudienceClaim or
	// AcceptIDTokens is set.
	Audience string

	// OtherAudiences lists further audiences, as in [Config.OtherAudiences].
	OtherAudiences []string

	// InsecureAnyAudience accepts its tokens whatever their audience is. A token that
	// it has issued for another service is then accepted here.
	InsecureAnyAudience bool

	// Keys verify its tokens. Only public halves are used. The zero [keys.Remote]
	// finds the keys that the issuer publishes. Required.
	Keys keys.Source

	// Required makes [Auth.Ready] fail while this server has no keys of the issuer,
	// such as before the first fetch has succeeded. The keys of Config.Keys are always
	// required.
	Required bool

	// These fields are those of [Config] with the same names, for the tokens of this
	// issuer.
	SubjectClaim    string
	OptionalSubject bool
	AudienceClaim   string
	RoleClaims      []string
	AcceptIDTokens  bool

	// These fields are those of [Config] with the same names, for the tokens of this
	// issuer. Zero stands for the value in Config.
	MaxLifetime time.Duration
	Leeway      time.Duration
	ClockSkew   time.Duration
}

const defaultRoleClaim = "roles"

// An issuer is an issuer whose tokens are accepted, with its keys and what its
// tokens must say.
type issuer struct {
	keys   keyaccess.Keys
	remote keyaccess.Remote // keys, if they are fetched, else nil

	name      string                // empty: any, or what match accepts
	match     func(iss string) bool // nil: name decides
	audiences []string              // empty: any
	layout    *jose.Layout

	field string // the path from Config to the fields of this issuer, with a dot at its end unless it is empty

	// Where these claims are, as configured.
	subjectClaim  string
	audienceClaim string
	roleClaims    []string

	subject  jose.Path // where to put the subject into issued tokens, nil for sub alone
	audience jose.Path // where to put the audience, nil for aud alone
	roles    jose.Path // where to put the roles

	required        bool
	optionalSubject bool
	acceptIDTokens  bool

	// In seconds.
	maxLifetime int64
	leeway      int64
	clockSkew   int64
}

// issues reports whether tokens whose iss is name are tokens of i.
func (i *issuer) issues(name string) bool {
	if i.match != nil {
		return i.match(name)
	}
	return i.name == name || i.name == ""
}

// issuerOf returns the issuer of a token of i, empty if i accepts any.
func (i *issuer) issuerOf(c *jose.Claims) string {
	if i.match != nil {
		return c.Issuer
	}
	return i.name
}

// openIssuers returns the issuers whose tokens are accepted.
func (a *Auth) openIssuers(wrong *mistakes) []issuer {
	c := &a.config
	issuers := []issuer{a.openIssuer("", TrustedIssuer{
		Name: c.Issuer, Audience: c.Audience, OtherAudiences: c.OtherAudiences, InsecureAnyAudience: c.InsecureAnyAudience, Keys: c.Keys, Required: true,
		SubjectClaim: c.SubjectClaim, OptionalSubject: c.OptionalSubject, AudienceClaim: c.AudienceClaim, RoleClaims: c.RoleClaims, AcceptIDTokens: c.AcceptIDTokens,
		MaxLifetime: c.MaxLifetime, Leeway: c.Leeway, ClockSkew: c.ClockSkew,
	}, wrong)}
	names := []string{c.Issuer}
	for n, trusted := range c.Trusted {
		field := fmt.Sprintf("Trusted[%d].", n)
		switch {
		case trusted.Name == "" && trusted.Match == nil:
			wrong.add(field+"Name", "is empty: set it to the iss of its tokens")
		case trusted.Name != "" && trusted.Match != nil:
			wrong.add(field+"Match", "is set beside Name: set one of them")
		case trusted.Match == nil && slices.Contains(names, trusted.Name):
			wrong.add(field+"Name", "is %q, an issuer that is listed already: list all its keys in one place", trusted.Name)
		case trusted.Match == nil:
			names = append(names, trusted.Name)
		}
		trusted.Audience, trusted.OtherAudiences = trusted.audiences(c, field, wrong)
		if trusted.Leeway == 0 {
			trusted.Leeway = c.Leeway
		}
		trusted.MaxLifetime = wrong.duration(field+"MaxLifetime", trusted.MaxLifetime, c.MaxLifetime)
		trusted.ClockSkew = wrong.duration(field+"ClockSkew", trusted.ClockSkew, c.ClockSkew)
		issuers = append(issuers, a.openIssuer(field, trusted, wrong))
	}
	for n := range issuers {
		if match := issuers[n].match; match != nil {
			issuers[n].match = func(iss string) bool { return iss != "" && !slices.Contains(names, iss) && match(iss) }
		}
	}
	if c.InsecureAnyIssuer {
		issuers[0].name = ""
	}
	return issuers
}

// audiences returns the audiences of t, by default those of config.
func (t *TrustedIssuer) audiences(config *Config, field string, wrong *mistakes) (first string, others []string) {
	switch {
	case t.Audience != "" || len(t.OtherAudiences) > 0 || t.InsecureAnyAudience:
		return t.Audience, t.OtherAudiences
	case t.AudienceClaim != "":
		wrong.add(field+"Audience", "is empty: set it to a value that %s has in its tokens", t.AudienceClaim)
	case t.AcceptIDTokens:
		wrong.add(field+"Audience", "is empty: set it to the client_id that its ID tokens are for")
	case config.Audience == "":
		wrong.add(field+"Audience", "is empty: set it to the audience that its tokens name")
	}
	return config.Audience, config.OtherAudiences
}

// openIssuer opens the keys of config, whose fields the prefix field leads to.
func (a *Auth) openIssuer(field string, config TrustedIssuer, wrong *mistakes) issuer {
	i := issuer{
		name:            config.Name,
		match:           config.Match,
		required:        config.Required,
		optionalSubject: config.OptionalSubject,
		acceptIDTokens:  config.AcceptIDTokens,
		maxLifetime:     int64(config.MaxLifetime / time.Second),
		leeway:          int64(config.Leeway / time.Second),
		clockSkew:       int64(config.ClockSkew / time.Second),
		field:           field,
	}
	if !config.InsecureAnyAudience {
		i.audiences = slices.Clone(config.OtherAudiences)
		if config.Audience != "" {
			i.audiences = slices.Insert(i.audiences, 0, config.Audience)
		}
	}
	if slices.Contains(config.OtherAudiences, "") {
		wrong.add(field+"OtherAudiences", "has an empty audience: remove it")
	}
	if config.AcceptIDTokens && config.InsecureAnyAudience {
		wrong.add(field+"AcceptIDTokens", "is set with InsecureAnyAudience: every client of the issuer could sign its users in here; set Audience to your own client")
	}
	if config.Leeway < 0 || config.Leeway > keyaccess.MaxLeeway {
		wrong.add(field+"Leeway", "is %v: use 0 to %v", config.Leeway, keyaccess.MaxLeeway)
	}
	if config.ClockSkew < time.Second || config.ClockSkew > keyaccess.MaxLeeway {
		wrong.add(field+"ClockSkew", "is %v: use %v to %v", config.ClockSkew, time.Second, keyaccess.MaxLeeway)
	}
	i.readClaims(field, &config, wrong)
	if config.Keys == nil {
		wrong.add(field+"Keys", "is nil: give a key, such as keys.HS256(secret), a keys.Set or keys.Remote{}")
		return i
	}
	// Without a name, the keys must say themselves where they are.
	opened, problems := config.Keys.Open(keyaccess.Options{Issuer: config.Name, Logger: a.config.Logger, Report: a.keysChanged, Fetched: a.keysFetched})
	for _, problem := range problems {
		wrong.add(field+"Keys", "%s", problem)
	}
	i.keys = opened
	i.remote, _ = opened.(keyaccess.Remote)
	return i
}

// readClaims sets where i has its claims.
func (i *issuer) readClaims(field string, config *TrustedIssuer, wrong *mistakes) {
	i.subjectClaim = cmp.Or(config.SubjectClaim, "sub")
	i.audienceClaim = cmp.Or(config.AudienceClaim, "aud")
	if config.SubjectClaim != "" && config.SubjectClaim != "sub" {
		i.subject = wrong.claim(field+"SubjectClaim", config.SubjectClaim)
	}
	if config.AudienceClaim != "" && config.AudienceClaim != "aud" {
		i.audience = wrong.claim(field+"AudienceClaim", config.AudienceClaim)
	}
	claims := config.RoleClaims
	if len(claims) == 0 {
		claims = []string{defaultRoleClaim}
	}
	var roles []jose.Path
	for _, claim := range claims {
		roles = append(roles, wrong.claim(field+"RoleClaims", claim))
	}
	i.roles, i.roleClaims = roles[0], slices.Clone(claims)
	i.layout = jose.NewLayout(i.subject, i.audience, roles...)
}

// claim returns the path to the claim in text, and adds the mistakes in it.
func (m *mistakes) claim(field, text string) jose.Path {
	path, err := jose.ParsePath(text)
	if err != nil {
		m.add(field, "is %q, which %v: use the name of a claim, or a JSON Pointer such as /realm_access/roles", text, err)
		return nil
	}
	if jose.IsRegistered(path[0]) {
		m.add(field, "is %q, which has another meaning: use a claim that means nothing else", text)
	}
	return path
}
