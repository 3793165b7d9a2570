// Command echo5 is the example application on Echo v5.
package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/browser"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
	"github.com/jwtgate/jwtgate/examples/internal/content"
	"github.com/jwtgate/jwtgate/examples/internal/demo"
	"github.com/jwtgate/jwtgate/examples/internal/notes"
	"github.com/jwtgate/jwtgate/examples/internal/server"
	"github.com/jwtgate/jwtgate/examples/internal/settings"
	"github.com/jwtgate/jwtgate/examples/internal/users"
)

func main() {
	if err := run(); err != nil {
		settings.Exit(err)
	}
}

func run() error {
	config, err := settings.Load()
	if err != nil {
		return err
	}
	config.Auth.Sessions.Subject = users.Find
	auth, err := jwtgate.New(config.Auth)
	if err != nil {
		return err
	}

	anyone := echojwt.Protect(auth, jwtgate.Optional())
	signedIn := echojwt.Protect(auth)
	admins := echojwt.Protect(auth, jwtgate.Role("admin"))
	recent := echojwt.Protect(auth, jwtgate.RecentLogin(config.RecentLogin))
	h := handlers{notes: notes.NewStore()}

	e := echo.New()
	e.Use(middleware.Recover())
	e.GET("/", home)
	e.GET("/jwtgate.js", echojwt.Handle(browser.Module))
	e.GET("/healthz", healthz)
	e.GET("/readyz", echojwt.Handle(auth.Readiness))

	e.POST("/login", echojwt.Handle(auth.Login(users.Check)))
	e.POST("/token", echojwt.Handle(auth.Token(users.Check)))
	e.POST("/refresh", echojwt.Handle(auth.Refresh))
	e.POST("/logout", echojwt.Handle(auth.Logout))
	e.POST("/logout/all", echojwt.Handle(auth.LogoutAll))
	e.POST("/logout/others", echojwt.Handle(auth.LogoutOthers))
	e.GET("/sessions", echojwt.Handle(auth.ListSessions))
	e.DELETE("/sessions/:id", echojwt.Handle(auth.DeleteSession))
	e.Match([]string{"GET", "HEAD"}, "/.well-known/jwks.json", echojwt.Handle(auth.JWKS))
	e.Match([]string{"GET", "HEAD"}, "/.well-known/oauth-protected-resource", echojwt.Handle(auth.ResourceMetadata))

	e.GET("/public", public, anyone)
	e.GET("/me", me, signedIn)
	e.GET("/admin", admin, admins)
	e.GET("/recent", me, recent)
	e.GET("/notes", h.listNotes, signedIn)
	e.POST("/notes", h.addNote, signedIn)
	e.GET("/report", document(content.Report), signedIn)
	e.POST("/demo/expire", echojwt.Handle(demo.Expire(auth)), signedIn)

	return server.Serve(config, auth, e)
}

type handlers struct{ notes *notes.Store }

func home(c *echo.Context) error {
	for name, value := range content.HomeHeader {
		c.Response().Header().Set(name, value)
	}
	return c.HTMLBlob(http.StatusOK, content.Home)
}

func healthz(c *echo.Context) error { return c.String(http.StatusOK, "ok") }

// public serves visitors with and without a session.
func public(c *echo.Context) error {
	var subject any
	if id, ok := echojwt.Identity(c); ok {
		subject = id.Subject()
	}
	return c.JSON(http.StatusOK, map[string]any{"sub": subject})
}

// me returns all claims as they are. You can also decode them into a struct.
func me(c *echo.Context) error {
	claims, err := echojwt.Claims[json.RawMessage](c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, claims)
}

func admin(c *echo.Context) error {
	id, _ := echojwt.Identity(c)
	return c.JSON(http.StatusOK, map[string]any{"message": "Welcome, " + id.Subject() + ". You are an admin."})
}

func (h handlers) listNotes(c *echo.Context) error {
	id, _ := echojwt.Identity(c)
	return c.JSON(http.StatusOK, h.notes.Of(id))
}

func (h handlers) addNote(c *echo.Context) error {
	id, _ := echojwt.Identity(c)
	var note notes.Note
	if err := c.Bind(&note); err != nil {
		return err
	}
	if note.Text == "" {
		return echo.NewHTTPError(http.StatusBadRequest, `the body must be JSON such as {"text": "buy milk"}`)
	}
	h.notes.Add(id, note)
	return c.JSON(http.StatusCreated, note)
}

// document serves d, and answers 304 to a client that has d in its cache.
func document(d content.Document) echo.HandlerFunc {
	return func(c *echo.Context) error {
		header := c.Response().Header()
		header.Set(echo.HeaderContentType, d.Type)
		header.Set(echo.HeaderCacheControl, d.Cache)
		header.Set("ETag", d.ETag)
		http.ServeContent(c.Response(), c.Request(), "", time.Time{}, strings.NewReader(d.Text))
		return nil
	}
}
