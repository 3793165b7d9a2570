package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"sync"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

//go:embed pages
var files embed.FS

var templates = template.Must(template.ParseFS(files, "pages/*.html"))

// A page is what the templates show.
type page struct {
	User    string // empty for a visitor
	Message string
	Next    string // where the login form leads
	Orders  []string
}

var pageHeader = []jwtgate.Field{
	{Name: "Content-Type", Value: "text/html; charset=utf-8"},
	{Name: "Content-Security-Policy", Value: "default-src 'none'; form-action 'self'; frame-ancestors 'none'"},
}

func show(w http.ResponseWriter, status int, name string, p page) {
	for _, field := range pageHeader {
		w.Header().Set(field.Name, field.Value)
	}
	w.WriteHeader(status)
	_ = templates.ExecuteTemplate(w, name, p) // fails if the browser has disconnected
}

// withPage returns res with a page as its body.
func withPage(res jwtgate.Response, name string, p page) jwtgate.Response {
	var body bytes.Buffer
	_ = templates.ExecuteTemplate(&body, name, p) // does not fail: the templates fit a page
	return jwtgate.Response{Status: res.Status, Header: append(forPages(res.Header), pageHeader...), Body: body.Bytes()}
}

type application struct {
	mu     sync.Mutex
	placed map[string][]string // orders by subject
}

// home is for everyone, and greets users by name.
func (app *application) home(w http.ResponseWriter, r *http.Request) {
	var p page
	if id, ok := nethttp.Identity(r); ok {
		p.User = id.Subject()
	}
	show(w, http.StatusOK, "home.html", p)
}

func (app *application) loginPage(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	if _, ok := nethttp.Identity(r); ok {
		http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // localPath has checked it
		return
	}
	p := page{Next: next}
	if r.URL.Query().Has("signed-out") {
		p.Message = "You are signed out."
	}
	show(w, http.StatusOK, "login.html", p)
}

func (app *application) orders(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	app.mu.Lock()
	defer app.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store") // the Back button must not show it after the sign-out
	show(w, http.StatusOK, "orders.html", page{User: id.Subject(), Orders: app.placed[id.Subject()]})
}

func (app *application) addOrder(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	app.mu.Lock()
	defer app.mu.Unlock()
	app.placed[id.Subject()] = append(app.placed[id.Subject()], r.FormValue("what"))
	http.Redirect(w, r, "/orders", http.StatusSeeOther)
}
