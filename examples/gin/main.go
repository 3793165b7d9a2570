// Command gin is the example application on Gin.
package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/browser"
	"github.com/jwtgate/jwtgate/examples/internal/content"
	"github.com/jwtgate/jwtgate/examples/internal/demo"
	"github.com/jwtgate/jwtgate/examples/internal/notes"
	"github.com/jwtgate/jwtgate/examples/internal/server"
	"github.com/jwtgate/jwtgate/examples/internal/settings"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/ginjwt"
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

	h := handlers{notes: notes.NewStore()}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())
	r.GET("/", home)
	r.GET("/jwtgate.js", ginjwt.Handle(browser.Module))
	r.GET("/healthz", healthz)
	r.GET("/readyz", ginjwt.Handle(auth.Readiness))

	r.POST("/login", ginjwt.Handle(auth.Login(users.Check)))
	r.POST("/token", ginjwt.Handle(auth.Token(users.Check)))
	r.POST("/refresh", ginjwt.Handle(auth.Refresh))
	r.POST("/logout", ginjwt.Handle(auth.Logout))
	r.POST("/logout/all", ginjwt.Handle(auth.LogoutAll))
	r.POST("/logout/others", ginjwt.Handle(auth.LogoutOthers))
	r.GET("/sessions", ginjwt.Handle(auth.ListSessions))
	r.DELETE("/sessions/:id", ginjwt.Handle(auth.DeleteSession))
	r.Match([]string{"GET", "HEAD"}, "/.well-known/jwks.json", ginjwt.Handle(auth.JWKS))
	r.Match([]string{"GET", "HEAD"}, "/.well-known/oauth-protected-resource", ginjwt.Handle(auth.ResourceMetadata))
	r.GET("/public", ginjwt.Protect(auth, jwtgate.Optional()), public)

	signedIn := r.Group("/", ginjwt.Protect(auth))
	signedIn.GET("/me", me)
	signedIn.GET("/admin", ginjwt.Protect(auth, jwtgate.Role("admin")), admin)
	signedIn.GET("/recent", ginjwt.Protect(auth, jwtgate.RecentLogin(config.RecentLogin)), me)
	signedIn.GET("/notes", h.listNotes)
	signedIn.POST("/notes", h.addNote)
	signedIn.GET("/report", document(content.Report))
	signedIn.POST("/demo/expire", ginjwt.Handle(demo.Expire(auth)))

	return server.Serve(config, auth, r)
}

type handlers struct{ notes *notes.Store }

func home(c *gin.Context) {
	for name, value := range content.HomeHeader {
		c.Header(name, value)
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", content.Home)
}

func healthz(c *gin.Context) { c.String(http.StatusOK, "ok") }

// public serves visitors with and without a session.
func public(c *gin.Context) {
	var subject any
	if id, ok := ginjwt.Identity(c); ok {
		subject = id.Subject()
	}
	c.JSON(http.StatusOK, gin.H{"sub": subject})
}

// me returns all claims as they are. You can also decode them into a struct.
func me(c *gin.Context) {
	claims, err := ginjwt.Claims[json.RawMessage](c)
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.JSON(http.StatusOK, claims)
}

func admin(c *gin.Context) {
	id, _ := ginjwt.Identity(c)
	c.JSON(http.StatusOK, gin.H{"message": "Welcome, " + id.Subject() + ". You are an admin."})
}

func (h handlers) listNotes(c *gin.Context) {
	id, _ := ginjwt.Identity(c)
	c.JSON(http.StatusOK, h.notes.Of(id))
}

func (h handlers) addNote(c *gin.Context) {
	id, _ := ginjwt.Identity(c)
	var note notes.Note
	if err := c.ShouldBindJSON(&note); err != nil || note.Text == "" {
		c.JSON(http.StatusBadRequest, gin.H{"error": `the body must be JSON such as {"text": "buy milk"}`})
		return
	}
	h.notes.Add(id, note)
	c.JSON(http.StatusCreated, note)
}

// document serves d, and answers 304 to a client that has d in its cache.
func document(d content.Document) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Content-Type", d.Type)
		c.Header("Cache-Control", d.Cache)
		c.Header("ETag", d.ETag)
		http.ServeContent(c.Writer, c.Request, "", time.Time{}, strings.NewReader(d.Text))
	}
}
