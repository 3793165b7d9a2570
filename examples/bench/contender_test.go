package bench_test

import (
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// A contender is one way to guard a route of a framework.
type contender struct {
	framework string
	name      string
	open      func(k *key) app
}

const (
	bare   = "bare"         // no guard at all
	handOn = "context"      // a value for the handler, and no check
	cold   = "jwtgate-cold" // tokens never seen before
	warm   = "jwtgate-warm" // a token that was seen a moment ago
	byHand = "golang-jwt"   // golang-jwt by hand, with typed claims

	// The same two, with the claims decoded into the application's type.
	coldClaims = "jwtgate-cold-claims"
	warmClaims = "jwtgate-warm-claims"
)

// contenders are those of each framework: what is compared is measured one right
// after the other. Peers are set up as their documentation shows, with the checks
// of algorithm, issuer and audience that they have.
var contenders = [][]contender{onNetHTTP, onEcho, onGin, onFiber}

// without returns those of all that have none of these names.
func without(all []contender, names ...string) []contender {
	return slices.DeleteFunc(slices.Clone(all), func(c contender) bool { return slices.Contains(names, c.name) })
}

// handed is what a contender without checks hands on.
type handed struct {
	subject string
	admin   bool
}

type handedKey struct{}

var alice = &handed{"alice", true}

// typedClaims are the claims by golang-jwt's own documentation.
type typedClaims struct {
	jwt.RegisteredClaims
	userClaims
}

// A handParser verifies tokens by golang-jwt with all that it can check.
type handParser struct {
	parser *jwt.Parser
	key    any
}

func newHandParser(k *key) *handParser {
	return &handParser{jwt.NewParser(
		jwt.WithValidMethods([]string{k.algorithm}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
	), k.public}
}

func (p *handParser) parse(token string) (*typedClaims, error) {
	claims := new(typedClaims)
	_, err := p.parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return p.key, nil })
	return claims, err
}
