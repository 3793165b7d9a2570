package ginjwt_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/ginjwt"
)

// The suite writes by Send alone. However else a handler writes, and whatever writers
// middleware has added, the answer to a renewed request must have both cookies and not
// be stored.
func TestRenewed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write func(c *gin.Context)
	}{
		{"nothing", func(*gin.Context) {}},
		{"Status", func(c *gin.Context) { c.Status(http.StatusTeapot) }},
		{"JSON", func(c *gin.Context) { c.JSON(http.StatusOK, "short") }},
		{"String", func(c *gin.Context) { c.String(http.StatusOK, "short") }},
		{"Redirect", func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/") }},
		{"AbortWithStatus", func(c *gin.Context) { c.AbortWithStatus(http.StatusTeapot) }},
		{"Write", func(c *gin.Context) { _, _ = c.Writer.Write([]byte("short")) }},
		{"WriteString", func(c *gin.Context) { _, _ = c.Writer.WriteString("short") }},
		{"Flush", func(c *gin.Context) { c.Writer.Flush() }},
		{"Flush of the controller", func(c *gin.Context) {
			if err := http.NewResponseController(c.Writer).Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
		}},
		{"ServeContent", func(c *gin.Context) {
			http.ServeContent(c.Writer, c.Request, "a.txt", time.Unix(1, 0), strings.NewReader("short"))
		}},
		{"error, answered by outer middleware", func(c *gin.Context) { _ = c.Error(errors.New("tea")) }},
		{"panic", func(*gin.Context) { panic("tea") }},
		{"one of the cookies", func(c *gin.Context) { c.SetCookie("__Host-at", "x", 60, "/", "", true, true) }},
		{"Stream", func(c *gin.Context) { c.Stream(func(io.Writer) bool { return false }) }},
		{"HandleContext", func(c *gin.Context) {
			c.Request.URL.Path = "/cached"
			c.MustGet("engine").(*gin.Engine).HandleContext(c)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, cookie, _ := jwtgatetest.NewAuth(t)
			r := gin.New()
			r.GET("/cached", func(c *gin.Context) {
				c.Header("Cache-Control", "public")
				c.String(http.StatusOK, "short")
			})
			r.Use(func(c *gin.Context) {
				c.Set("engine", r)
				c.Writer = copied{ginWriter: c.Writer, ResponseWriter: c.Writer}
				c.Writer = &wrapped{ResponseWriter: c.Writer}
				defer func() {
					if recover() != nil || len(c.Errors) > 0 {
						c.String(http.StatusInternalServerError, "sorry")
					}
				}()
				c.Next()
			})
			r.GET("/", ginjwt.Protect(auth), func(c *gin.Context) {
				c.Header("Cache-Control", "public")
				row.write(c)
			})
			w := serveOne(r, "Cookie", cookie)
			if got := w.Result().Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("got Cache-Control %q, want no-store", got)
			}
			if got := fresh(w.Result().Cookies()); got != "__Host-at __Host-rt" {
				t.Errorf("got cookies %s, want both", got)
			}
		})
	}
}

// TestRenewedNeither checks that the answer has neither cookie if a writer of middleware
// has no field ResponseWriter with the next one.
func TestRenewedNeither(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(gin.ResponseWriter) gin.ResponseWriter{
		"no field": func(w gin.ResponseWriter) gin.ResponseWriter { return struct{ ginWriter }{w} },
		"field of a number": func(w gin.ResponseWriter) gin.ResponseWriter {
			return struct {
				ginWriter
				ResponseWriter int
			}{w, 0}
		},
	} {
		auth, cookie, _ := jwtgatetest.NewAuth(t)
		r := gin.New()
		r.Use(func(c *gin.Context) { c.Writer = wrap(c.Writer) })
		r.GET("/", ginjwt.Protect(auth), func(c *gin.Context) { c.String(http.StatusOK, "short") })
		w := serveOne(r, "Cookie", cookie)
		if got := w.Result().Cookies(); w.Code != http.StatusOK || len(got) > 0 {
			t.Errorf("%s: got %d with cookies %v, want 200 without", name, w.Code, got)
		}
	}
}

// wrapped is the writer of a middleware, such as one that compresses.
type wrapped struct{ gin.ResponseWriter }

// copied is the writer of a middleware whose fields cannot be set, because c.Writer has
// a copy of it and not a pointer.
type copied struct {
	ginWriter

	ResponseWriter http.ResponseWriter
}

type ginWriter = gin.ResponseWriter

// fresh returns the names of cookies, and the values that are not those of tokens.
func fresh(cookies []*http.Cookie) string {
	var names []string
	for _, c := range cookies {
		if len(c.Value) > 1 {
			names = append(names, c.Name)
		} else {
			names = append(names, c.Name+"="+c.Value)
		}
	}
	return strings.Join(names, " ")
}
