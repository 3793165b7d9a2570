package bench_test

import (
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// A contender is one way to guard a route in a framework.
type contender struct {
	framework string
	name      string
	open      func(k *key) app
}

const (
	bare   = "bare"         // no guard
	handOn = "context"      // passes a value to the handler without any check
	cold   = "jwtgate-cold" // this library without its cache
	warm   = "jwtgate-warm" // this library with the token in its cache
	byHand = "golang-jwt"   // code written by hand with golang-jwt and typed claims

	// Like cold and warm, with the claims decoded into the application's type.
	coldClaims = "jwtgate-cold-claims"
	warmClaims = "jwtgate-warm-claims"
)

// contenders are grouped by framework, so that the contenders to compare run
// directly after each other. Other libraries are configured as their documentation
// shows, with the checks of algorithm, issuer and audience that they offer.
var contenders = [][]contender{onNetHTTP, onEcho, onEcho5, onGin, onFiber, onFiber3}

// without returns all contenders except those with these names.
func without(all []contender, names ...string) []contender {
	return slices.DeleteFunc(slices.Clone(all), func(c contender) bool { return slices.Contains(names, c.name) })
}

// handed is the value that contender handOn passes to its handler.
type handed struct {
	subject string
	admin   bool
}

type handedKey struct{}

var alice = &handed{"alice", true}

// typedClaims are typed claims as golang-jwt documents them.
type typedClaims struct {
	jwt.RegisteredClaims
	userClaims
}

// A handParser verifies tokens with golang-jwt and all of its checks.
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
