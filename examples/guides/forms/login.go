package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/users"
)

// login returns an endpoint for the form of the login page. After a login, the browser
// loads next. If the login is refused, the form is shown again and says why.
func login(auth *jwtgate.Auth, next string) jwtgate.Endpoint {
	signIn := thenShow(next, auth.Login(users.Check))
	return func(ctx context.Context, req jwtgate.Request) jwtgate.Response {
		res := signIn(ctx, req)
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

func loginPath(next string) string { return "/login?next=" + url.QueryEscape(next) }

// localPath returns path if it leads to a page of this server, else "/". Without the
// check, a link to the login page could send visitors to a page that looks like it.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") {
		return "/"
	}
	return path
}
