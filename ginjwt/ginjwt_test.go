package ginjwt_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/ginjwt"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // does not log the routes
	os.Exit(m.Run())
}

func TestAdapter(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, serve)
}

// serve is a [jwtgatetest.Adapter].
func serve(t *testing.T, site jwtgatetest.Site) string {
	r := gin.New()
	r.Use(outer(site))
	for _, route := range site.Routes {
		group := r.Group(route.Path)
		var handlers []gin.HandlerFunc
		for i, guard := range route.Guards {
			protect := ginjwt.Protect(guard.Auth, guard.Rules...)
			if i == 0 {
				group.Use(protect)
			} else {
				handlers = append(handlers, protect)
			}
		}
		group.Handle(route.Method, "", append(handlers, handler(route))...)
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func outer(site jwtgatetest.Site) gin.HandlerFunc {
	return func(c *gin.Context) {
		for _, field := range site.Header {
			c.Writer.Header().Add(field.Name, field.Value)
		}
		if site.Context != nil {
			c.Request = c.Request.WithContext(site.Context(c.Request.Context()))
		}
		c.Next()
	}
}

func handler(route jwtgatetest.Route) gin.HandlerFunc {
	if route.Endpoint != nil {
		return ginjwt.Handle(route.Endpoint)
	}
	return func(c *gin.Context) {
		id, found := ginjwt.Identity(c)
		claims, err := ginjwt.Claims[jwtgatetest.Claims](c)
		ginjwt.Send(c, route.Handler(jwtgatetest.View{Context: c.Request.Context(), Identity: id, Found: found, Claims: claims, Err: err, Header: c.GetHeader}))
	}
}

// A *gin.Context has the values of the request's context only if ContextWithFallback is
// set. Identity and Claims do not depend on that setting.
func TestContextWithFallback(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	for _, fallback := range []bool{false, true} {
		r := gin.New()
		r.ContextWithFallback = fallback
		r.GET("/", ginjwt.Protect(auth), func(c *gin.Context) {
			if _, found := jwtgate.IdentityFrom(c); found != fallback {
				t.Errorf("fallback %t: got identity in c: %t", fallback, found)
			}
			if id, found := ginjwt.Identity(c); !found || id.Subject() != "alice" {
				t.Errorf("fallback %t: got identity: %t", fallback, found)
			}
		})
		if w := serveOne(r, "Authorization", "Bearer "+token); w.Code != http.StatusOK {
			t.Errorf("fallback %t: got status %d", fallback, w.Code)
		}
	}
}

// A refusal aborts the chain. It is added to c.Errors only if it is handed over.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		refuse func(context.Context, jwtgate.Request, *jwtgate.Refusal) jwtgate.Response
		errors int
		body   string
		kind   string
	}{
		{"not handed over", nil, 0, `"code":"token_missing"`, "application/problem+json"},
		{"handed over", jwtgate.HandOver, 1, `{"error":"token_missing"}`, "application/json; charset=utf-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = row.refuse })
			r := gin.New()
			r.Use(func(c *gin.Context) {
				c.Next()
				if len(c.Errors) != row.errors || !c.IsAborted() {
					t.Errorf("got errors %v and aborted %t; want %d", c.Errors, c.IsAborted(), row.errors)
				}
				if len(c.Errors) == 0 {
					return
				}
				refusal := (*jwtgate.Refusal)(nil)
				if !errors.As(c.Errors.Last(), &refusal) {
					t.Errorf("got %v; want a refusal", c.Errors.Last())
					return
				}
				c.JSON(refusal.Status, gin.H{"error": refusal.Code})
			})
			r.GET("/", ginjwt.Protect(auth), func(*gin.Context) { t.Error("the handler ran") })
			w := serveOne(r, "", "")
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), row.body) {
				t.Errorf("got %d %q; want %q", w.Code, w.Body, row.body)
			}
			if got := w.Header().Get("Content-Type"); got != row.kind {
				t.Errorf("got Content-Type %q; want %q", got, row.kind)
			}
		})
	}
}

// serveOne serves GET / with one header field.
func serveOne(h http.Handler, name, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if name != "" {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A handler that dispatches a request again, with another method, must not get around
// the check of its origin.
func TestHandleContext(t *testing.T) {
	t.Parallel()
	auth, _, _ := jwtgatetest.NewAuth(t)
	tokens, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	ran := false
	r := gin.New()
	r.GET("/forward", ginjwt.Protect(auth), func(c *gin.Context) {
		c.Request.Method, c.Request.URL.Path = http.MethodPost, "/delete"
		r.HandleContext(c)
	})
	r.POST("/delete", ginjwt.Protect(auth), func(*gin.Context) { ran = true })
	for _, row := range []struct {
		site string
		ran  bool
	}{
		{"same-origin", true},
		{"cross-site", false},
	} {
		ran = false
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/forward", nil)
		req.Header.Set("Cookie", "__Host-at="+tokens.Access.Token)
		req.Header.Set("Sec-Fetch-Site", row.site)
		r.ServeHTTP(httptest.NewRecorder(), req)
		if ran != row.ran {
			t.Errorf("from a page of %s: got a handler that ran %v; want %v", row.site, ran, row.ran)
		}
	}
}
