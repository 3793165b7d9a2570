package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
)

var (
	errEmptyPEM   = errors.New("the key is empty: set it to the content of a PEM file")
	errPath       = errors.New("the key looks like the path of a file: read the file, for example with os.ReadFile, and give its content")
	errOpenSSH    = errors.New("the key is in OpenSSH format: convert an RSA or ECDSA key with ssh-keygen (-p -m PKCS8 a private key, -e -m PKCS8 a public key), or make a new key with openssl genpkey")
	errBase64     = errors.New("the key is the base64 text of a PEM file alone: give the whole file, with its -----BEGIN and -----END lines")
	errNoPEM      = errors.New("the key is not a PEM file: give the content of a file that begins with -----BEGIN")
	errDamaged    = errors.New("the PEM file is damaged or cut short: give all of it, from -----BEGIN to -----END, with its line breaks")
	errNoKey      = errors.New("the PEM file has no key and no certificate")
	errEncrypted  = errors.New("the PEM file is encrypted: decrypt it first, for example with openssl pkey")
	errUnreadable = errors.New("the key in the PEM file cannot be read, or is of a kind that is not supported")
	errUnreadCert = errors.New("the certificate in the PEM file cannot be read")
)

// parsePEM returns the first key in a PEM file, or the public key of its first
// certificate if it has no key.
func parsePEM(data []byte) (any, error) {
	data = mendPEM(data)
	if err := checkPEM(data); err != nil {
		return nil, err
	}
	var certificate []byte
	for {
		block, rest := pem.Decode(data)
		switch {
		case block == nil && certificate != nil:
			c, err := x509.ParseCertificate(certificate)
			if err != nil {
				return nil, errUnreadCert
			}
			return c.PublicKey, nil
		case block == nil && !bytes.Contains(data, begin):
			return nil, errNoKey
		case block == nil:
			return nil, errDamaged
		case block.Headers["DEK-Info"] != "": // RFC 1421 §4.6.1.3
			return nil, errEncrypted
		}
		data = rest
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
		case "OPENSSH PRIVATE KEY":
			return nil, errOpenSSH
		case "CERTIFICATE":
			if certificate == nil {
				certificate = block.Bytes
			}
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

var begin = []byte("-----BEGIN ")

// mendPEM returns data with line breaks where they are written as \n, and without
// spaces around its lines.
func mendPEM(data []byte) []byte {
	if bytes.Contains(data, begin) { // else a path of Windows can have a \n
		data = bytes.ReplaceAll(data, []byte(`\r`), nil)
		data = bytes.ReplaceAll(data, []byte(`\n`), []byte("\n"))
	}
	lines := bytes.Split(data, []byte("\n"))
	for i := range lines {
		lines[i] = bytes.TrimSpace(lines[i])
	}
	return bytes.TrimSpace(bytes.Join(lines, []byte("\n")))
}

// checkPEM returns what data is if it is not a PEM file.
func checkPEM(data []byte) error {
	switch {
	case len(data) == 0:
		return errEmptyPEM
	case bytes.Contains(data, begin):
		return nil
	case hasPrefix(data, "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2"):
		return errOpenSSH
	case isDER(data):
		return errBase64
	case isPath(data):
		return errPath
	}
	return errNoPEM
}

// isDER reports whether data is the base64 text of a SEQUENCE, which is what all
// keys and certificates are in DER.
func isDER(data []byte) bool {
	const sequence = 0x30
	der, err := base64.StdEncoding.AppendDecode(nil, bytes.Join(bytes.Fields(data), nil))
	return err == nil && len(der) > 0 && der[0] == sequence
}

// isPath reports whether data is one line that looks like the path of a file.
func isPath(data []byte) bool {
	if bytes.ContainsRune(data, '\n') {
		return false
	}
	return hasPrefix(data, "/", "./", "../", "~/", "file:", `.\`) ||
		len(data) > 2 && data[1] == ':' && (data[2] == '\\' || data[2] == '/') ||
		hasSuffix(data, ".pem", ".key", ".pub", ".crt", ".cer", ".cert", ".der")
}

func hasPrefix(data []byte, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return true
		}
	}
	return false
}

func hasSuffix(data []byte, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if bytes.HasSuffix(data, []byte(suffix)) {
			return true
		}
	}
	return false
}
