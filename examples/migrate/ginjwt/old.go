package main

import (
	"net/http"
	"strings"
	"time"

	jwt "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

// timeout is how long the tokens of both applications are valid.
const timeout = time.Hour

// An account is what the handlers of the old application read.
type account struct {
	ID   string
	Role string
}

// Old returns the application on gin-jwt. Its tokens have the claims of PayloadFunc, exp
// and orig_iat, and neither iss nor sub nor aud.
func Old(secret []byte) (*gin.Engine, error) {
	middleware, err := jwt.New(&jwt.GinJWTMiddleware{
		Realm:       "test zone",
		Key:         secret,
		Timeout:     timeout,
		MaxRefresh:  timeout,
		IdentityKey: "id",
		Authenticator: func(c *gin.Context) (any, error) {
			var login credentials
			if err := c.ShouldBind(&login); err != nil {
				return nil, jwt.ErrMissingLoginValues
			}
			user, ok := users.Check(login.Username, login.Password)
			if !ok {
				return nil, jwt.ErrFailedAuthentication
			}
			return &account{ID: user.Name, Role: user.Role()}, nil
		},
		PayloadFunc: func(data any) jwt.MapClaims {
			a := data.(*account)
			return jwt.MapClaims{"id": a.ID, "role": a.Role}
		},
		IdentityHandler: func(c *gin.Context) any {
			claims := jwt.ExtractClaims(c)
			return &account{ID: claims["id"].(string), Role: claims["role"].(string)}
		},
		Authorizator: func(data any, c *gin.Context) bool {
			return !strings.HasPrefix(c.FullPath(), "/api/admin") || data.(*account).Role == "admin"
		},
	})
	if err != nil {
		return nil, err
	}
	r := gin.New()
	r.POST("/login", middleware.LoginHandler)
	r.POST("/logout", middleware.LogoutHandler)
	r.GET("/refresh_token", middleware.RefreshHandler)

	api := r.Group("/api", middleware.MiddlewareFunc())
	api.GET("/hello", oldHello)
	api.GET("/profile", profile)
	api.GET("/admin", admin)
	return r, nil
}

// credentials are the body of a login, as JSON or as a form.
type credentials struct {
	Username string `form:"username" json:"username" binding:"required"`
	Password string `form:"password" json:"password" binding:"required"`
}

func oldHello(c *gin.Context) {
	user, _ := c.Get("id")
	c.String(http.StatusOK, "Welcome "+user.(*account).ID+"!")
}

func admin(c *gin.Context) { c.String(http.StatusOK, "Welcome, admin!") }

// profile is in both applications, unchanged.
func profile(c *gin.Context) {
	user, _ := c.Get("id")
	claims := jwt.ExtractClaims(c)
	c.JSON(http.StatusOK, gin.H{"name": user.(*account).ID, "role": claims["role"]})
}
