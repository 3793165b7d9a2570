package echojwt_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/echojwt"
)

// The suite writes by Send alone. However else a handler or the error handler writes,
// the answer to a renewed request must have both cookies and not be stored.
func TestRenewed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write echo.HandlerFunc
	}{
		{"nothing", func(echo.Context) error { return nil }},
		{"NoContent", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }},
		{"JSON", func(c echo.Context) error { return c.JSON(http.StatusOK, "short") }},
		{"Redirect", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/") }},
		{"Stream", func(c echo.Context) error { return c.Stream(http.StatusOK, "text/plain", strings.NewReader("short")) }},
		{"Flush", func(c echo.Context) error {
			c.Response().Flush()
			return nil
		}},
		{"ServeContent", func(c echo.Context) error {
			http.ServeContent(c.Response(), c.Request(), "a.txt", time.Unix(1, 0), strings.NewReader("short"))
			return nil
		}},
		{"WriteHeader of the writer within", func(c echo.Context) error {
			c.Response().Writer.WriteHeader(http.StatusTeapot)
			return nil
		}},
		{"Write of the writer within", func(c echo.Context) error {
			_, err := c.Response().Writer.Write([]byte("short"))
			return err
		}},
		{"error", func(echo.Context) error { return echo.ErrTeapot }},
		{"one of the cookies", func(c echo.Context) error {
			c.SetCookie(&http.Cookie{Name: "__Host-at", Value: "x"})
			return c.NoContent(http.StatusNoContent)
		}},
		{"middleware.Timeout", func(c echo.Context) error {
			return middleware.Timeout()( //nolint:staticcheck // deprecated, but people use it
				func(c echo.Context) error {
					c.SetCookie(&http.Cookie{Name: "__Host-rt", Value: "x"})
					c.Response().Header().Set("Cache-Control", "public")
					return c.String(http.StatusOK, "short")
				})(c)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, cookie, _ := jwtgatetest.NewAuth(t)
			e := echo.New()
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				c.Response().Header().Set("Cache-Control", "public")
				e.DefaultHTTPErrorHandler(err, c)
			}
			e.GET("/", func(c echo.Context) error {
				c.Response().Header().Set("Cache-Control", "public")
				return row.write(c)
			}, echojwt.Protect(auth))
			w := serveOne(e, "Cookie", cookie)
			if got := w.Result().Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("got Cache-Control %q, want no-store", got)
			}
			if got := fresh(w.Result().Cookies()); got != "__Host-at __Host-rt" {
				t.Errorf("got cookies %s, want both", got)
			}
		})
	}
}

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
