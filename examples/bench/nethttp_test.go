package bench_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"time"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	cristalhq "github.com/cristalhq/jwt/v4"
	"github.com/go-chi/jwtauth/v5"
	jwx "github.com/lestrrat-go/jwx/v2/jwt"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

var onNetHTTP = []contender{
	{"nethttp", bare, func(*key) app {
		return netHTTPApp(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}))
	}},
	{"nethttp", handOn, func(*key) app {
		return netHTTPByHand(func(string) (*handed, error) { return alice, nil }, func(from *handed) int {
			return answer(from.subject, from.admin)
		})
	}},
	{"nethttp", cold, func(k *key) app { return netHTTPOwn(coldAuth(k)) }},
	{"nethttp", coldClaims, func(k *key) app { return netHTTPTyped(coldAuth(k)) }},
	{"nethttp", warm, func(k *key) app { return netHTTPOwn(warmAuth(k)) }},
	{"nethttp", warmClaims, func(k *key) app { return netHTTPTyped(warmAuth(k)) }},
	{"nethttp", byHand, func(k *key) app {
		return netHTTPByHand(newHandParser(k).parse, func(claims *typedClaims) int {
			return answerTyped(claims.Subject, &claims.userClaims)
		})
	}},
	{"nethttp", "cristalhq-jwt", func(k *key) app {
		verifier := cristalhqVerifier(k)
		return netHTTPByHand(func(token string) (*cristalhqClaims, error) {
			claims := new(cristalhqClaims)
			if err := cristalhq.ParseClaims([]byte(token), verifier, claims); err != nil {
				return nil, err
			}
			if !claims.IsValidAt(time.Now()) || !claims.IsIssuer(issuer) || !claims.IsForAudience(audience) {
				return nil, errClaims
			}
			return claims, nil
		}, func(claims *cristalhqClaims) int { return answerTyped(claims.Subject, &claims.userClaims) })
	}},
	{"nethttp", "auth0", func(k *key) app {
		v := must(validator.New(
			func(context.Context) (any, error) { return k.public, nil },
			validator.SignatureAlgorithm(k.algorithm), issuer, []string{audience},
			validator.WithCustomClaims(func() validator.CustomClaims { return new(auth0Claims) }),
		))
		return netHTTPApp(jwtmiddleware.New(v.ValidateToken).CheckJWT(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			claims := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
			custom := claims.CustomClaims.(*auth0Claims)
			w.WriteHeader(answerTyped(claims.RegisteredClaims.Subject, &custom.userClaims))
		})))
	}},
	{"nethttp", "chi-jwtauth", func(k *key) app {
		auth := jwtauth.New(k.algorithm, k.private, k.public, jwx.WithIssuer(issuer), jwx.WithAudience(audience))
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, claims, _ := jwtauth.FromContext(r.Context())
			w.WriteHeader(answerMap(claims))
		})
		return netHTTPApp(jwtauth.Verifier(auth)(jwtauth.Authenticator(auth)(handler)))
	}},
}

func netHTTPOwn(auth *jwtgate.Auth) app {
	return netHTTPApp(nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := nethttp.Identity(r)
		w.WriteHeader(answer(id.Subject(), id.HasRole("admin")))
	})))
}

// netHTTPTyped is like netHTTPOwn, but its handler decodes the claims into its own type.
func netHTTPTyped(auth *jwtgate.Auth) app {
	return netHTTPApp(nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := nethttp.Identity(r)
		claims, err := nethttp.Claims[userClaims](r)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(answerTyped(id.Subject(), &claims))
	})))
}

// netHTTPByHand is typical middleware, written by hand around a library.
func netHTTPByHand[T any](parse func(token string) (*T, error), status func(*T) int) app {
	return netHTTPApp(guardByHand(parse, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status(r.Context().Value(handedKey{}).(*T)))
	})))
}

// guardByHand must not be inlined: otherwise the compiler would know next and
// remove allocations that every real program makes.
//
//go:noinline
func guardByHand[T any](parse func(token string) (*T, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims, err := parse(token)
		if err != nil {
			http.Error(w, "invalid token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), handedKey{}, claims)))
	})
}

func netHTTPApp(handler http.Handler) app {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", handler)
	return httpApp(mux)
}

var errClaims = errors.New("exp, iss or aud is wrong")

type cristalhqClaims struct {
	cristalhq.RegisteredClaims
	userClaims
}

func cristalhqVerifier(k *key) cristalhq.Verifier {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return must(cristalhq.NewVerifierRS(cristalhq.RS256, public))
	case *ecdsa.PublicKey:
		return must(cristalhq.NewVerifierES(cristalhq.ES256, public))
	case ed25519.PublicKey:
		return must(cristalhq.NewVerifierEdDSA(public))
	default:
		return must(cristalhq.NewVerifierHS(cristalhq.HS256, secret))
	}
}

type auth0Claims struct{ userClaims }

func (*auth0Claims) Validate(context.Context) error { return nil }
