package jwtgate_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// With Debug, a refusal says what is wrong and which field of Config is about it. Do not
// set it in production: there, the log has the same words at debug level.
func ExampleConfig_debug() {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(secret).WithID("k1"),
		Debug:    true,
		Cookies:  &jwtgate.CookieConfig{},
		Logger:   slog.New(slog.DiscardHandler),
		Now:      func() time.Time { return now },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	const header = `{"alg":"HS256","kid":"k1"}`
	claims := func(name string, value any) map[string]any {
		claims := map[string]any{
			"iss": "https://auth.example.com", "aud": "https://api.example.com", "sub": "alice", "exp": now.Unix() + 900, "iat": now.Unix(),
		}
		claims[name] = value
		return claims
	}
	send := func(mistake string, req jwtgate.Request, rules ...jwtgate.Rule) {
		d := auth.Decide(context.Background(), req, rules...)
		fmt.Printf("%s: %d %s\n    %s\n", mistake, d.Refusal.Status, d.Refusal.Code, d.Refusal.Detail)
	}
	get := func(name, value string) jwtgate.Request {
		return jwtgate.Request{Method: "GET", Host: "app.example.com", TLS: true, Header: http.Header{name: {value}}}
	}
	token := func(header string, claims map[string]any) jwtgate.Request {
		return get("Authorization", "Bearer "+signExample(secret, header, claims))
	}
	send("A slash too many in iss", token(header, claims("iss", "https://auth.example.com/")))
	send("A token for another API", token(header, claims("aud", "https://shop.example.com")))
	send("No aud", token(header, claims("aud", nil)))
	send("No sub", token(header, claims("sub", nil)))
	expired := claims("exp", now.Unix()-30)
	expired["iat"] = now.Unix() - 930
	send("Expired", token(header, expired))
	send("A clock that is two minutes ahead", token(header, claims("iat", now.Unix()+120)))
	send("A life of 30 days", token(header, claims("exp", now.Unix()+30*24*3600)))
	send("An algorithm without a key", token(`{"alg":"RS256","kid":"k1"}`, claims("sub", "alice")))
	send("A key that is not held", token(`{"alg":"HS256","kid":"k2"}`, claims("sub", "alice")))
	send("Another secret", get("Authorization", "Bearer "+signExample([]byte("another secret"), header, claims("sub", "alice"))))
	send("An ID token", token(header, claims("at_hash", "h")))
	send("No Bearer", get("Authorization", signExample(secret, header, claims("sub", "alice"))))
	send("A missing role", token(header, claims("roles", []string{"Admin", "user"})), jwtgate.Role("admin"))
	send("Roles in another claim", token(header, claims("groups", []string{"admin"})), jwtgate.Role("admin"))
	post := get("Cookie", "__Host-at="+signExample(secret, header, claims("sub", "alice")))
	post.Method, post.Header.(http.Header)["Origin"] = "POST", []string{"https://spa.example.com"}
	send("A page of another origin", post)

	// Output:
	// A slash too many in iss: 401 token_invalid
	//     The access token is not valid: iss is "https://auth.example.com/", which is none of the configured issuers: "https://auth.example.com"; it differs from Config.Issuer by a slash at the end only, and must be equal.
	// A token for another API: 401 token_invalid
	//     The access token is not valid: aud is "https://shop.example.com", but must name an audience of the issuer (Audience, OtherAudiences); Config.Audience is "https://api.example.com": ask the issuer for a token for this audience, or list the other one.
	// No aud: 401 token_invalid
	//     The access token is not valid: aud is missing, but must name an audience of the issuer (Audience, OtherAudiences); Config.Audience is "https://api.example.com"; if another claim has it, set AudienceClaim.
	// No sub: 401 token_invalid
	//     The access token is not valid: sub is missing, but must be a string that is not empty, or a whole number; if another claim has it, set SubjectClaim; Config.OptionalSubject accepts tokens without a subject.
	// Expired: 401 token_expired
	//     The access token has expired: exp is 2026-11-28T11:59:30Z, 30s ago by the clock of this server, but must be in the future; Config.Leeway is 0s: refresh the token or sign in again; if the clocks differ, correct them, or allow more.
	// A clock that is two minutes ahead: 401 token_invalid
	//     The access token is not valid: iat is 2m0s ahead of the clock of this server, but must not be further in the future than ClockSkew; Config.ClockSkew is 1m0s: correct the clocks, or allow more.
	// A life of 30 days: 401 token_invalid
	//     The access token is not valid: the lifetime of the token, exp minus iat, is 720h0m0s, but must be at most MaxLifetime; Config.MaxLifetime is 24h0m0s: have the issuer shorten it, or allow more.
	// An algorithm without a key: 401 token_invalid
	//     The access token is not valid: alg is "RS256", but must be the algorithm of a key in Keys; the only key in Config.Keys is HS256 "k1": verify these tokens with the public key of the issuer, or with keys.Remote.
	// A key that is not held: 401 token_invalid
	//     The access token is not valid: there is no key with the token's kid "k2"; the only key in Config.Keys is HS256 "k1": add the key with this kid, or use keys.Remote, which follows the issuer's keys.
	// Another secret: 401 token_invalid
	//     The access token is not valid: the signature does not match: none of the keys for kid "k1" and alg "HS256" made it; the only key in Config.Keys is HS256 "k1". The token was changed, or signed with another secret: use the same bytes, nothing is decoded from base64 or hex.
	// An ID token: 401 token_invalid
	//     The access token is not valid: the token is an ID token (it has at_hash): ask the issuer for access tokens, or set Config.AcceptIDTokens if it has none for this server.
	// No Bearer: 401 token_missing
	//     This resource needs an access token: the Authorization field has a token without the word Bearer before it: send "Authorization: Bearer " and the access token.
	// A missing role: 403 insufficient_scope
	//     The access token does not allow this: the route needs the role "admin", and the token has the roles "Admin", "user" (Config.RoleClaims): upper and lower case matter.
	// Roles in another claim: 403 insufficient_scope
	//     The access token does not allow this: the route needs the role "admin", and the token has no roles in "roles" (Config.RoleClaims); it has "groups", which Config.RoleClaims can name.
	// A page of another origin: 403 cross_site
	//     The request came from another site: its origin must be this server's or listed as trusted: Origin is "https://spa.example.com", but must be that of this server, whose Host is "app.example.com", or one of Config.Cookies.TrustedOrigins, which is empty. A proxy in front must pass the Host on.
}

// signExample returns a token that is signed with a secret.
func signExample(secret []byte, header string, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
