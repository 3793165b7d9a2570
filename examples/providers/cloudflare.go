package providers

import (
	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// cloudflare configures a server behind Cloudflare Access.
func cloudflare() jwtgate.Config {
	return jwtgate.Config{
		Issuer:          "https://shop.cloudflareaccess.com",
		Audience:        "4f1d0c7be5a29386f0b71c2d8e4a6b539d0e1f7a8c6b5d4e3f2a1b0c9d8e7f60",
		OptionalSubject: true, // service tokens have none
		Keys:            keys.Remote{URL: "https://shop.cloudflareaccess.com/cdn-cgi/access/certs"},
		TokenHeaders:    []jwtgate.TokenHeader{{Name: "Cf-Access-Jwt-Assertion"}},
	}
}
