package keys

import "github.com/jwtgate/jwtgate/core/internal/keyaccess"

// A Source provides the keys of one issuer: a [Key], a [Set], a *[Ring], [Remote], or
// several of them in [Sources]. No other package can implement it.
type Source interface {
	// Open is called by jwtgate.New. It returns the keys, or descriptions of the
	// mistakes in them, which contain no secret.
	Open(keyaccess.Options) (keyaccess.Keys, []string)
}

var (
	_ Source = Key{}
	_ Source = Set{}
	_ Source = (*Ring)(nil)
	_ Source = Remote{}
	_ Source = Sources{}
)
