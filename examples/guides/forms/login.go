package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

// login takes the form of the login page. It goes on to the page that the visitor wanted,
// or shows the form again and says why.
func (app *application) login(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	signIn := thenShow(next, app.auth.Login(users.Check))
	res := signIn(r.Context(), jwtgate.HTTPRequest(r))
	if res.Status == http.StatusSeeOther {
		nethttp.Send(w, res)
		return
	}
	res.CopyHeader(w.Header()) // such as Retry-After
	message := "The name or the password is wrong."
	if res.Status != http.StatusUnauthorized {
		message = "Please try again later."
	}
	show(w, res.Status, "login.html", page{Message: message, Next: next})
}

// thenShow returns endpoint for a form: after a success, the browser loads another page.
func thenShow(path string, endpoint jwtgate.Endpoint) jwtgate.Endpoint {
	return func(ctx context.Context, req jwtgate.Request) jwtgate.Response {
		res := endpoint(ctx, req)
		if res.Status >= http.StatusMultipleChoices {
			return res
		}
		return seeOther(res, path)
	}
}

// seeOther returns res as a redirect, which keeps its cookies.
func seeOther(res jwtgate.Response, path string) jwtgate.Response {
	header := slices.DeleteFunc(slices.Clone(res.Header), func(f jwtgate.Field) bool {
		return f.Name == "Content-Type" || f.Name == "WWW-Authenticate"
	})
	header = append(header, jwtgate.Field{Name: "Location", Value: path})
	return jwtgate.Response{Status: http.StatusSeeOther, Header: header}
}

func loginPath(next string) string { return "/login?next=" + url.QueryEscape(next) }

// localPath returns path if it leads to a page of this server, else "/". Without the
// check, a link to the login page could send visitors to a page that looks like it.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") {
		return "/"
	}
	return path
}
