package bench_test

import (
	"context"
	"net/http"
	"strings"

	peer "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"
	jwt "github.com/golang-jwt/jwt/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/ginjwt"
)

var onGin = []contender{
	{"gin", bare, func(*key) app {
		return ginApp(func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}},
	{"gin", handOn, func(*key) app {
		return ginApp(func(c *gin.Context) {
			c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), handedKey{}, alice))
		}, func(c *gin.Context) {
			from := c.Request.Context().Value(handedKey{}).(*handed)
			c.Status(answer(from.subject, from.admin))
		})
	}},
	{"gin", cold, func(k *key) app { return ginOwn(coldAuth(k)) }},
	{"gin", coldClaims, func(k *key) app { return ginTyped(coldAuth(k)) }},
	{"gin", warm, func(k *key) app { return ginOwn(warmAuth(k)) }},
	{"gin", warmClaims, func(k *key) app { return ginTyped(warmAuth(k)) }},
	{"gin", byHand, func(k *key) app {
		parser := newHandParser(k)
		return ginApp(func(c *gin.Context) {
			token, _ := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
			claims, err := parser.parse(token)
			if err != nil {
				c.AbortWithStatusJSON(http.StatusUnauthorized, gin.H{"message": "invalid token"})
				return
			}
			c.Set("user", claims)
		}, func(c *gin.Context) {
			claims := c.MustGet("user").(*typedClaims)
			c.Status(answerTyped(claims.Subject, &claims.userClaims))
		})
	}},
	{"gin", "gin-jwt", func(k *key) app {
		config := &peer.GinJWTMiddleware{Key: secret}
		if k.algorithm != "HS256" { // gin-jwt has no option for most other algorithms
			config.KeyFunc = func(*jwt.Token) (any, error) { return k.public, nil }
			config.ParseOptions = []jwt.ParserOption{jwt.WithValidMethods([]string{k.algorithm})}
		}
		return ginApp(must(peer.New(config)).MiddlewareFunc(), func(c *gin.Context) {
			c.Status(answerMap(peer.ExtractClaims(c)))
		})
	}},
}

func ginOwn(auth *jwtgate.Auth) app {
	return ginApp(ginjwt.Protect(auth), func(c *gin.Context) {
		id, _ := ginjwt.Identity(c)
		c.Status(answer(id.Subject(), id.HasRole("admin")))
	})
}

// ginTyped is like ginOwn, but its handler decodes the claims into its own type.
func ginTyped(auth *jwtgate.Auth) app {
	return ginApp(ginjwt.Protect(auth), func(c *gin.Context) {
		id, _ := ginjwt.Identity(c)
		claims, err := ginjwt.Claims[userClaims](c)
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.Status(answerTyped(id.Subject(), &claims))
	})
}

func ginApp(handlers ...gin.HandlerFunc) app {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/", handlers...)
	return httpApp(engine)
}
