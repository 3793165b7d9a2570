package keys

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
)

var (
	errNoPEM      = errors.New("the key is not a PEM file that contains a key")
	errEncrypted  = errors.New("the PEM file is encrypted: decrypt it first")
	errUnreadable = errors.New("the key in the PEM file cannot be read, or is of a kind that is not supported")
)

// parsePEM returns the first key in a PEM file.
func parsePEM(data []byte) (any, error) {
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return nil, errNoPEM
		}
		data = rest
		if block.Headers["DEK-Info"] != "" { // RFC 1421 §4.6.1.3
			return nil, errEncrypted
		}
		switch block.Type {
		case "PRIVATE KEY":
			return readable(x509.ParsePKCS8PrivateKey(block.Bytes))
		case "RSA PRIVATE KEY":
			return readable(x509.ParsePKCS1PrivateKey(block.Bytes))
		case "EC PRIVATE KEY":
			return readable(x509.ParseECPrivateKey(block.Bytes))
		case "PUBLIC KEY":
			return readable(x509.ParsePKIXPublicKey(block.Bytes))
		case "RSA PUBLIC KEY":
			return readable(x509.ParsePKCS1PublicKey(block.Bytes))
		case "ENCRYPTED PRIVATE KEY":
			return nil, errEncrypted
		}
		// Other blocks are skipped, such as the EC PARAMETERS that OpenSSL writes first.
	}
}

// readable returns key or, if err is not nil, an error without the text of err, which
// may contain bytes of a private key.
func readable[K any](key K, err error) (any, error) {
	if err != nil {
		return nil, errUnreadable
	}
	return key, nil
}
