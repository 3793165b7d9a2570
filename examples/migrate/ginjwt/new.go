package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	jwt "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
	"github.com/jwtgate/jwtgate/ginjwt"
)

// newClaims are the further claims of new tokens. The role is a string, as old
// instances expect.
type newClaims struct {
	Role string `json:"role"`
}

// NewAuth accepts the tokens of both applications.
func NewAuth(source keys.Source) (*jwtgate.Auth, error) {
	return jwtgate.New(jwtgate.Config{
		Issuer:     "https://auth.example.com",
		Audience:   "https://api.example.com",
		Keys:       source,
		AccessTTL:  timeout,
		RoleClaims: []string{"role"},
		Sessions:   &jwtgate.SessionConfig{Subject: subject},

		// Delete these lines when the last old token has expired.
		InsecureAnyIssuer:   true, // old tokens have no iss,
		InsecureAnyAudience: true, // no aud,
		SubjectClaim:        "id", // and no sub
	})
}

// subject returns the claims of the user with this name, in place of PayloadFunc. It is
// called at every login and every refresh.
func subject(_ context.Context, name string) (jwtgate.Grant, error) {
	user, ok := users.Find(name)
	if !ok {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Claims: newClaims{Role: user.Role()}}, nil
}

// New returns the application on jwtgate.
func New(auth *jwtgate.Auth) *gin.Engine {
	r := gin.New()
	r.POST("/login", login(auth))
	r.POST("/logout", ginjwt.Handle(auth.Logout))
	r.POST("/refresh", ginjwt.Handle(auth.Refresh))

	api := r.Group("/api", ginjwt.Protect(auth))
	api.GET("/hello", newHello)
	api.GET("/profile", keepIdentity, profile)
	api.GET("/admin", ginjwt.Protect(auth, jwtgate.Role("admin")), admin)
	return r
}

// login answers in the form of gin-jwt, so that clients need no change, and with a
// refresh token. For new clients, ginjwt.Handle(auth.Token(check)) is enough.
func login(auth *jwtgate.Auth) gin.HandlerFunc {
	return func(c *gin.Context) {
		var login credentials
		if err := c.ShouldBind(&login); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		user, ok := users.Check(login.Username, login.Password)
		if !ok {
			c.Status(http.StatusUnauthorized)
			return
		}
		tokens, err := auth.SignIn(c.Request.Context(), jwtgate.HTTPRequest(c.Request), user.Name)
		if refusal := (*jwtgate.Refusal)(nil); errors.As(err, &refusal) {
			ginjwt.Send(c, refusal.Response())
			return
		}
		c.JSON(http.StatusOK, gin.H{
			"code":          http.StatusOK,
			"token":         tokens.Access.Token,
			"expire":        tokens.Access.Expires.Format(time.RFC3339),
			"refresh_token": tokens.Refresh,
		})
	}
}

func newHello(c *gin.Context) {
	id, _ := ginjwt.Identity(c)
	c.String(http.StatusOK, "Welcome "+id.Subject()+"!")
}

// keepIdentity sets what gin-jwt sets, for handlers that have not been changed yet.
func keepIdentity(c *gin.Context) {
	claims, err := ginjwt.Claims[jwt.MapClaims](c)
	if err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.Set("JWT_PAYLOAD", claims)
	id, _ := ginjwt.Identity(c)
	role, _ := claims["role"].(string)
	c.Set("id", &account{ID: id.Subject(), Role: role})
}
