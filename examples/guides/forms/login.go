package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/users"
)

// login returns an endpoint for the form of the login page. After a login, the browser
// loads the page that the parameter next names. If the login is refused, the form is shown
// again and says why.
func login(auth *jwtgate.Auth) jwtgate.Endpoint {
	signIn := auth.Login(users.Check, stay)
	return func(ctx context.Context, req jwtgate.Request) jwtgate.Response {
		query, _ := url.ParseQuery(req.Query) // without the parameters that cannot be read
		next := localPath(query.Get("next"))
		res := thenShow(next, signIn)(ctx, req)
		if res.Status == http.StatusSeeOther {
			return res
		}
		message := "The name or the password is wrong."
		if res.Status != http.StatusUnauthorized {
			message = "Please try again later."
		}
		return withPage(res, "login.html", page{Message: message, Next: next})
	}
}

// stay ends the session with the browser, or after half a day without a request, unless the
// user has ticked the box.
func stay(_ context.Context, _ string, parameter func(string) string) jwtgate.Lifetime {
	if parameter("stay") != "" {
		return jwtgate.Lifetime{} // that of SessionConfig
	}
	return jwtgate.Lifetime{Transient: true, RefreshTTL: 12 * time.Hour}
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
	return jwtgate.Response{Status: http.StatusSeeOther, Header: append(forPages(res.Header), jwtgate.Field{Name: "Location", Value: path})}
}

// forPages returns header without the fields that describe a JSON body to scripts.
func forPages(header []jwtgate.Field) []jwtgate.Field {
	return slices.DeleteFunc(slices.Clone(header), func(f jwtgate.Field) bool {
		return f.Name == "Content-Type" || f.Name == "WWW-Authenticate"
	})
}

// loginPath returns the path of the login page that leads back to a page.
func loginPath(path, query string) string {
	if query != "" {
		path += "?" + query
	}
	return "/login?next=" + url.QueryEscape(path)
}

// localPath returns path if it leads to a page of this server, else "/". Without the
// check, a link to the login page could send visitors to a page that looks like it.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") {
		return "/"
	}
	return path
}
