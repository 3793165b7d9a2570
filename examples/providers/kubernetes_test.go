package providers

import (
	"crypto/x509"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

func newKubernetes(t *testing.T) *provider {
	t.Helper()
	p := &provider{
		jwks:         "https://kubernetes.default.svc/openid/v1/jwks",
		cacheControl: "public, max-age=3600",
		jwk:          []string{`{"use":"sig","kty":"RSA","kid":"q0YdSxW1zTn8mVb5rKj3uHc7aGfLpE2oIsXyDwNtRkM","alg":"RS256"}`},
		header:       `{"alg":"RS256","kid":"q0YdSxW1zTn8mVb5rKj3uHc7aGfLpE2oIsXyDwNtRkM"}`,
		claims: `{"aud":["https://api.example.com"],"exp":1800003600,"iat":1800000000,"iss":"https://kubernetes.default.svc.cluster.local","jti":"j",
			"kubernetes.io":{"namespace":"shop","node":{"name":"n","uid":"1"},"pod":{"name":"p","uid":"2"},"serviceaccount":{"name":"orders","uid":"14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"}},
			"nbf":1800000000,"sub":"system:serviceaccount:shop:orders"}`,
	}
	p.start(t)
	return p
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	p := newKubernetes(t)
	p.test(t, withProviders(secret, kubernetes(p.ca())), []row{
		{"token", "", "", "system:serviceaccount:shop:orders [] []"},
		{"token for a year", "", `{"exp":1831536000}`, "system:serviceaccount:shop:orders [] []"},
		{"token for longer", "", `{"exp":1831536001}`, invalid},
		{"token for the API server", "", `{"aud":["https://kubernetes.default.svc.cluster.local"]}`, invalid},
		{"token of another cluster", "", `{"iss":"https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF"}`, invalid},
		{"token in a Secret, without expiry", "", `{"iss":"kubernetes/serviceaccount","aud":null,"exp":null,"iat":null,"nbf":null}`, invalid},
	})
}

// The keys of another cluster's certificate authority are not trusted.
func TestKubernetesOtherCA(t *testing.T) {
	t.Parallel()
	p := newKubernetes(t)
	send := p.serve(t, withProviders(secret, kubernetes(x509.NewCertPool())))
	if got, want := send(p.sign(t, "", "")), string(jwtgate.CodeUnavailable); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}
