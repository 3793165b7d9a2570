// Command fiber is the example application on Fiber v2.
package main

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/browser"
	"github.com/jwtgate/jwtgate/examples/internal/content"
	"github.com/jwtgate/jwtgate/examples/internal/demo"
	"github.com/jwtgate/jwtgate/examples/internal/notes"
	"github.com/jwtgate/jwtgate/examples/internal/server"
	"github.com/jwtgate/jwtgate/examples/internal/settings"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/fiberjwt"
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

	anyone := fiberjwt.Protect(auth, jwtgate.Optional())
	signedIn := fiberjwt.Protect(auth)
	admins := fiberjwt.Protect(auth, jwtgate.Role("admin"))
	recent := fiberjwt.Protect(auth, jwtgate.RecentLogin(config.RecentLogin))
	h := handlers{notes: notes.NewStore()}

	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        32 << 10,        // for the request header: Fiber's default of 4 KiB is too small for a long token
		ReadTimeout:           8 * time.Second, // also how long a shutdown waits for a connection that sends nothing
		WriteTimeout:          30 * time.Second,
		IdleTimeout:           time.Minute,
	})
	app.Use(recover.New())
	app.Get("/", home)
	app.Get("/jwtgate.js", fiberjwt.Handle(browser.Module))
	app.Get("/healthz", healthz)
	app.Get("/readyz", fiberjwt.Handle(auth.Readiness))

	app.Post("/login", fiberjwt.Handle(auth.Login(users.Check)))
	app.Post("/token", fiberjwt.Handle(auth.Token(users.Check)))
	app.Post("/refresh", fiberjwt.Handle(auth.Refresh))
	app.Post("/logout", fiberjwt.Handle(auth.Logout))
	app.Post("/logout/all", fiberjwt.Handle(auth.LogoutAll))
	app.Post("/logout/others", fiberjwt.Handle(auth.LogoutOthers))
	app.Get("/sessions", fiberjwt.Handle(auth.ListSessions))
	app.Delete("/sessions/:id", fiberjwt.Handle(auth.DeleteSession))
	app.Get("/.well-known/jwks.json", fiberjwt.Handle(auth.JWKS))
	app.Get("/.well-known/oauth-protected-resource", fiberjwt.Handle(auth.ResourceMetadata))

	app.Get("/public", anyone, public)
	app.Get("/me", signedIn, me)
	app.Get("/admin", admins, admin)
	app.Get("/recent", recent, me)
	app.Get("/notes", signedIn, h.listNotes)
	app.Post("/notes", signedIn, h.addNote)
	app.Get("/report", signedIn, document(content.Report))
	app.Post("/demo/expire", signedIn, fiberjwt.Handle(demo.Expire(auth)))

	return server.Run(config, auth, app.Listener, app.ShutdownWithContext)
}

type handlers struct{ notes *notes.Store }

func home(c *fiber.Ctx) error {
	for name, value := range content.HomeHeader {
		c.Set(name, value)
	}
	return c.Type("html", "utf-8").Send(content.Home)
}

func healthz(c *fiber.Ctx) error { return c.SendString("ok") }

// public serves visitors with and without a session.
func public(c *fiber.Ctx) error {
	var subject any
	if id, ok := fiberjwt.Identity(c); ok {
		subject = id.Subject()
	}
	return c.JSON(fiber.Map{"sub": subject})
}

// me returns all claims as they are. You can also decode them into a struct.
func me(c *fiber.Ctx) error {
	claims, err := fiberjwt.Claims[json.RawMessage](c)
	if err != nil {
		return err
	}
	return c.JSON(claims)
}

func admin(c *fiber.Ctx) error {
	id, _ := fiberjwt.Identity(c)
	return c.JSON(fiber.Map{"message": "Welcome, " + id.Subject() + ". You are an admin."})
}

func (h handlers) listNotes(c *fiber.Ctx) error {
	id, _ := fiberjwt.Identity(c)
	return c.JSON(h.notes.Of(id))
}

func (h handlers) addNote(c *fiber.Ctx) error {
	id, _ := fiberjwt.Identity(c)
	var note notes.Note
	if err := c.BodyParser(&note); err != nil || !c.Is("json") || note.Text == "" {
		return fiber.NewError(fiber.StatusBadRequest, `the body must be JSON such as {"text": "buy milk"}`)
	}
	h.notes.Add(id, note)
	return c.Status(fiber.StatusCreated).JSON(note)
}

// document serves d, and answers 304 to a client that has d in its cache.
func document(d content.Document) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, d.Type)
		c.Set(fiber.HeaderCacheControl, d.Cache)
		c.Set(fiber.HeaderETag, d.ETag)
		if c.Get(fiber.HeaderIfNoneMatch) != "" && c.Fresh() {
			return c.SendStatus(fiber.StatusNotModified)
		}
		return c.SendString(d.Text)
	}
}
