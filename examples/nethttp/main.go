// Command nethttp is the example application on net/http, without a framework.
package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/browser"
	"github.com/jwtgate/jwtgate/examples/internal/content"
	"github.com/jwtgate/jwtgate/examples/internal/demo"
	"github.com/jwtgate/jwtgate/examples/internal/notes"
	"github.com/jwtgate/jwtgate/examples/internal/server"
	"github.com/jwtgate/jwtgate/examples/internal/settings"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
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

	anyone := nethttp.Protect(auth, jwtgate.Optional())
	signedIn := nethttp.Protect(auth)
	admins := nethttp.Protect(auth, jwtgate.Role("admin"))
	recent := nethttp.Protect(auth, jwtgate.RecentLogin(config.RecentLogin))
	h := handlers{notes: notes.NewStore()}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("GET /jwtgate.js", nethttp.Handle(browser.Module))
	mux.HandleFunc("GET /healthz", healthz)
	mux.Handle("GET /readyz", nethttp.Handle(auth.Readiness))

	mux.Handle("POST /login", nethttp.Handle(auth.Login(users.Check)))
	mux.Handle("POST /token", nethttp.Handle(auth.Token(users.Check)))
	mux.Handle("POST /refresh", nethttp.Handle(auth.Refresh))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("POST /logout/all", nethttp.Handle(auth.LogoutAll))
	mux.Handle("POST /logout/others", nethttp.Handle(auth.LogoutOthers))
	mux.Handle("GET /sessions", nethttp.Handle(auth.ListSessions))
	mux.Handle("DELETE /sessions/{id}", nethttp.Handle(auth.DeleteSession))
	mux.Handle("GET /.well-known/jwks.json", nethttp.Handle(auth.JWKS))
	mux.Handle("GET /.well-known/oauth-protected-resource", nethttp.Handle(auth.ResourceMetadata))

	mux.Handle("GET /public", anyone(http.HandlerFunc(public)))
	mux.Handle("GET /me", signedIn(http.HandlerFunc(me)))
	mux.Handle("GET /admin", admins(http.HandlerFunc(admin)))
	mux.Handle("GET /recent", recent(http.HandlerFunc(me)))
	mux.Handle("GET /notes", signedIn(http.HandlerFunc(h.listNotes)))
	mux.Handle("POST /notes", signedIn(http.HandlerFunc(h.addNote)))
	mux.Handle("GET /report", signedIn(document(content.Report)))
	mux.Handle("POST /demo/expire", signedIn(nethttp.Handle(demo.Expire(auth))))

	return server.Serve(config, auth, mux)
}

type handlers struct{ notes *notes.Store }

func home(w http.ResponseWriter, _ *http.Request) {
	for name, value := range content.HomeHeader {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(content.Home)
}

func healthz(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }

// public serves visitors with and without a session.
func public(w http.ResponseWriter, r *http.Request) {
	var subject any
	if id, ok := nethttp.Identity(r); ok {
		subject = id.Subject()
	}
	writeJSON(w, http.StatusOK, map[string]any{"sub": subject})
}

// me returns all claims as they are. You can also decode them into a struct.
func me(w http.ResponseWriter, r *http.Request) {
	claims, err := nethttp.Claims[json.RawMessage](r)
	if err != nil {
		http.Error(w, "the claims cannot be read", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, claims)
}

func admin(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	writeJSON(w, http.StatusOK, map[string]string{"message": "Welcome, " + id.Subject() + ". You are an admin."})
}

func (h handlers) listNotes(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	writeJSON(w, http.StatusOK, h.notes.Of(id))
}

func (h handlers) addNote(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	var note notes.Note
	if err := json.NewDecoder(r.Body).Decode(&note); err != nil || note.Text == "" {
		http.Error(w, `the body must be JSON such as {"text": "buy milk"}`, http.StatusBadRequest)
		return
	}
	h.notes.Add(id, note)
	writeJSON(w, http.StatusCreated, note)
}

// document serves d, and answers 304 to a client that has d in its cache.
func document(d content.Document) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", d.Type)
		w.Header().Set("Cache-Control", d.Cache)
		w.Header().Set("ETag", d.ETag)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(d.Text))
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // fails if the client has disconnected
}
