package providers

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// kubernetes accepts the tokens of service accounts of the cluster that this server
// runs in. The certificate in clusterCA is that of the file ca.crt in
// /var/run/secrets/kubernetes.io/serviceaccount.
func kubernetes(clusterCA *x509.CertPool) jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:        "https://kubernetes.default.svc.cluster.local",
		Audience:    "https://api.example.com",
		MaxLifetime: 365 * 24 * time.Hour, // the longest that the cluster issues
		Keys: keys.Remote{
			URL:       "https://kubernetes.default.svc/openid/v1/jwks",
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: clusterCA, MinVersion: tls.VersionTLS12}},
		},
	}
}
