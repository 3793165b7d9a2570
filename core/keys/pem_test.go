package keys

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// asPEM returns der as a PEM file of one block.
func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// certificateOf returns a self-signed certificate of key, which has expired.
func certificateOf(key, public any) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotAfter: time.Unix(0, 0)}
	return asPEM("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, public, key)))
}

// replaced returns file with each old replaced by new.
func replaced(file []byte, old, new string) []byte {
	return bytes.ReplaceAll(file, []byte(old), []byte(new))
}

func TestPEM(t *testing.T) {
	t.Parallel()
	ecParameters := asPEM("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) // as openssl ecparam writes them
	sec1 := asPEM("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256Key)))
	public := asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&p256Key.PublicKey)))
	certificate := certificateOf(p256Key, &p256Key.PublicKey)
	others := certificateOf(p521Key, &p521Key.PublicKey)
	for _, row := range []struct {
		name  string
		got   Key
		want  Key
		signs bool
	}{
		{"RSA, PKCS #8", RS256(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey)))), RS256(rsaKey), true},
		{"RSA, PKCS #1", PS256(asPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))), PS256(rsaKey), true},
		{"RSA public, PKIX", RS384(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)))), RS384(rsaKey), false},
		{"RSA public, PKCS #1", RS512(asPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey))), RS512(rsaKey), false},
		{"ECDSA, PKCS #8", ES256(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256Key)))), ES256(p256Key), true},
		{"ECDSA, SEC 1", ES256(sec1), ES256(p256Key), true},
		{"ECDSA, SEC 1 after its parameters", ES256(append(ecParameters, sec1...)), ES256(p256Key), true},
		{"ECDSA public, PKIX", ES256(public), ES256(p256Key), false},
		{"Ed25519, PKCS #8", EdDSA(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed25519Key)))), EdDSA(ed25519Key), true},
		{"Ed25519 public, PKIX", EdDSA(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(ed25519Key.Public())))), EdDSA(ed25519Key), false},

		{"certificate, expired", ES256(certificate), ES256(p256Key), false},
		{"certificate of RSA", RS256(certificateOf(rsaKey, &rsaKey.PublicKey)), RS256(rsaKey), false},
		{"certificate of Ed25519", EdDSA(certificateOf(ed25519Key, ed25519Key.Public())), EdDSA(ed25519Key), false},
		{"chain of certificates", ES256(append(bytes.Clone(certificate), others...)), ES256(p256Key), false},
		{"certificate and private key", ES256(append(bytes.Clone(others), sec1...)), ES256(p256Key), true},
		{"private key and certificate", ES256(append(bytes.Clone(sec1), others...)), ES256(p256Key), true},

		{"text before it", ES256(append([]byte("my key:\n\n"), sec1...)), ES256(p256Key), true},
		{"line breaks written out", ES256(replaced(sec1, "\n", `\n`)), ES256(p256Key), true},
		{"line breaks of Windows", ES256(replaced(sec1, "\n", "\r\n")), ES256(p256Key), true},
		{"line breaks of Windows written out", ES256(replaced(sec1, "\n", `\r\n`)), ES256(p256Key), true},
		{"line breaks written out, and real ones", ES256(replaced(sec1, "\n", `\n`+"\n")), ES256(p256Key), true},
		{"indented by spaces", ES256(append([]byte("    "), replaced(sec1, "\n", "\n    ")...)), ES256(p256Key), true},
		{"indented by tabs", ES256(append([]byte("\t"), replaced(public, "\n", "\n\t")...)), ES256(p256Key), false},
		{"spaces at the ends of lines", ES256(replaced(sec1, "\n", " \n")), ES256(p256Key), true},
		{"no line break at the end", ES256(bytes.TrimSpace(sec1)), ES256(p256Key), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if problem := row.got.material.problem; problem != "" {
				t.Fatal(problem)
			}
			signature := must(row.want.material.Sign("header.payload"))
			if !row.got.material.Verify("header.payload", signature) || row.got.ID() != row.want.ID() {
				t.Errorf("got %v, which does not verify a signature of %v", row.got, row.want)
			}
			if row.got.canSign() != row.signs {
				t.Errorf("got a key that signs: %v; want %v", row.got.canSign(), row.signs)
			}
		})
	}
}

func TestPEMRefuses(t *testing.T) {
	t.Parallel()
	encrypted := &pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("x")}
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	pkcs8 := asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256Key)))
	_, body, _ := bytes.Cut(pkcs8, []byte("\n"))
	body, _, _ = bytes.Cut(body, []byte("-----END"))
	for _, row := range []struct {
		name, file, reason string // reason is a part of the problem
	}{
		{"empty", "", "is empty: set it to the content"},
		{"spaces", " \n\t", "is empty: set it to the content"},
		{"garbage", string(secret), "is not a PEM file: give the content"},
		{"JSON", `{"kty":"EC"}`, "is not a PEM file: give the content"},
		{"path", "/run/secrets/jwt", "the path of a file: read the file"},
		{"path of this folder", "./key", "the path of a file: read the file"},
		{"path of another folder", "../keys/key", "the path of a file: read the file"},
		{"path at home", "~/key", "the path of a file: read the file"},
		{"path of Windows", `C:\new\keys`, "the path of a file: read the file"},
		{"path of Windows with slashes", `C:/keys/key`, "the path of a file: read the file"},
		{"path of Windows, relative", `.\new`, "the path of a file: read the file"},
		{"file URL", "file:///run/secrets/jwt", "the path of a file: read the file"},
		{"name of a file", "private.pem\n", "the path of a file: read the file"},
		{"base64 alone", string(body), "base64 text of a PEM file alone: give the whole file"},
		{"base64 alone on one line", string(replaced(body, "\n", "")), "base64 text of a PEM file alone: give the whole file"},
		{"base64 with a mistake", "MIIB*", "is not a PEM file: give the content"},
		{"path and another line", "/run/secrets/jwt\nx", "is not a PEM file: give the content"},
		{"drive of Windows", "C:", "is not a PEM file: give the content"},
		{"OpenSSH public, RSA", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC user@host", "in OpenSSH format: convert"},
		{"OpenSSH public, Ed25519", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI user@host", "in OpenSSH format: convert"},
		{"OpenSSH public, ECDSA", "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAA user@host", "in OpenSSH format: convert"},
		{"OpenSSH private", string(asPEM("OPENSSH PRIVATE KEY", []byte("openssh-key-v1"))), "in OpenSSH format: convert"},
		{"cut short", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n", "damaged or cut short: give all of it"},
		{"cut short after another block", string(asPEM("EC PARAMETERS", []byte("x"))) + "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n", "damaged or cut short: give all of it"},
		{"line breaks lost", string(replaced(pkcs8, "\n", " ")), "damaged or cut short: give all of it"},
		{"parameters alone", string(asPEM("EC PARAMETERS", []byte("x"))), "has no key and no certificate"},
		{"request for a certificate", string(asPEM("CERTIFICATE REQUEST", []byte("x"))), "has no key and no certificate"},
		{"garbage in PKCS #8", string(asPEM("PRIVATE KEY", secret)), "cannot be read"},
		{"garbage in PKCS #1", string(asPEM("RSA PRIVATE KEY", secret)), "cannot be read"},
		{"garbage in SEC 1", string(asPEM("EC PRIVATE KEY", secret)), "cannot be read"},
		{"garbage in PKIX", string(asPEM("PUBLIC KEY", secret)), "cannot be read"},
		{"garbage in PKCS #1 public", string(asPEM("RSA PUBLIC KEY", secret)), "cannot be read"},
		{"garbage in a certificate", string(asPEM("CERTIFICATE", secret)), "the certificate in the PEM file cannot be read"},
		{"encrypted, PKCS #8", string(asPEM("ENCRYPTED PRIVATE KEY", secret)), "is encrypted: decrypt it"},
		{"encrypted, RFC 1421", string(pem.EncodeToMemory(encrypted)), "is encrypted: decrypt it"},
		{"Ed25519", string(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed25519Key)))), "ES256 needs an ECDSA key"},
		{"X25519", string(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(x25519)))), "ES256 needs an ECDSA key"},
		{"RSA", string(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)))), "ES256 needs an ECDSA key"},
		{"certificate of RSA", string(certificateOf(rsaKey, &rsaKey.PublicKey)), "ES256 needs an ECDSA key"},
		{"another curve", string(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p521Key)))), "is on P-521: ES256 needs P-256"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			problem := ES256([]byte(row.file)).material.problem
			if !strings.Contains(problem, row.reason) {
				t.Errorf("got problem %q, want one with %q", problem, row.reason)
			}
			checkNoKey(t, problem)
			for part := range strings.FieldsSeq(row.file) {
				if len(part) > 5 && !strings.HasPrefix(part, "-----") && strings.Contains(problem, part) {
					t.Errorf("got %q of the file in %q", part, problem)
				}
			}
		})
	}
	for _, row := range []struct {
		key    Key
		reason string
	}{
		{RS256(pkcs8), "RS256 needs an RSA key"},
		{EdDSA(pkcs8), "EdDSA needs an Ed25519 key"},
		{EdDSA(asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(x25519)))), "EdDSA needs an Ed25519 key"},
	} {
		if problem := row.key.material.problem; !strings.Contains(problem, row.reason) {
			t.Errorf("got problem %q, want one with %q", problem, row.reason)
		}
	}
}

// checkNoKey fails if text has a part of a secret or private key of these tests in
// one of the forms that printing gives to bytes.
func checkNoKey(t *testing.T, text string) {
	t.Helper()
	for _, secret := range [][]byte{secret[:8], ed25519Key.Seed()[:8], p256Key.D.Bytes()[:8], rsaKey.D.Bytes()[:8]} {
		for _, form := range []string{
			string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret[:6]), strings.Trim(fmt.Sprint(secret), "[]"),
		} {
			if strings.Contains(text, form) {
				t.Errorf("got %q in %.300s", form, text)
			}
		}
	}
}
