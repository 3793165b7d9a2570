package jwtgate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// ResourceMetadata is an [Endpoint] that publishes the metadata of this server as a
// protected resource (RFC 9728 §3), by which clients, such as those of the Model
// Context Protocol, find out where to get an access token. It takes GET and HEAD. The
// answer has the resource of [Config.Resource], the names of the other issuers that
// are accepted as its authorization servers, and the way to send a token. It is 404
// if there is no Config.Resource.
//
// Mount it at /.well-known/oauth-protected-resource, followed by the path of the
// resource, if it has one.
func (a *Auth) ResourceMetadata(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "resource_metadata", &req, a.answering(&req), &answer)
	switch {
	case a == nil:
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNilAuth)).Response
	case req.Method != http.MethodGet && req.Method != http.MethodHead:
		return a.wrongMethod(ctx, &req, "GET, HEAD")
	case a.resource == nil:
		r := refuse(CodeNotFound, errNoResource)
		r.Detail = "There is no metadata of this resource."
		return a.refused(ctx, &req, false, r).Response
	}
	return Response{Status: http.StatusOK, Header: resourceHeader, Body: a.resource.metadata}
}

var resourceHeader = []Field{{"Content-Type", "application/json"}, {"Cache-Control", "public, max-age=300"}}

var errNoResource = errors.New("jwtgate: Config.Resource is not set")

// wellKnownResource is where the metadata of a resource is (RFC 9728 §3).
const wellKnownResource = "/.well-known/oauth-protected-resource"

// A resource is a checked Config.Resource.
type resource struct {
	url       string
	parameter string // of a challenge, the address of the metadata (RFC 9728 §5.1)
	metadata  []byte
}

// newResource returns the resource called name, nil if name is empty, and adds the
// mistakes in it.
func newResource(name string, wrong *mistakes) *resource {
	if name == "" {
		return nil
	}
	u, err := url.Parse(name)
	switch {
	case err != nil || u.Host == "" || u.User != nil || strings.ContainsFunc(name, notInURL):
		wrong.add("Resource", "is not the URL of a server: use a URL such as https://api.example.com")
		return nil
	case u.Fragment != "" || strings.HasSuffix(name, "#"):
		wrong.add("Resource", "has a fragment, which RFC 9728 §1.2 forbids: remove it")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLocal(u.Hostname())):
		wrong.add("Resource", "is not an https URL: use https, or http for a server on this machine")
	}
	// RFC 9728 §3.1: before the path, without a slash that is all of it.
	path := u.EscapedPath()
	if path == "/" {
		path = ""
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return &resource{url: name, parameter: `resource_metadata="` + u.Scheme + "://" + u.Host + wellKnownResource + path + `"`}
}

// describe sets the metadata of r, a resource for the tokens of issuers.
func (r *resource) describe(issuers []issuer) error {
	var servers []string
	for i := range issuers {
		// The tokens that this server signs come from itself.
		if issuer := &issuers[i]; issuer.name != "" && (i > 0 || !issuer.keys.Current().CanSign()) {
			servers = append(servers, issuer.name)
		}
	}
	var err error
	r.metadata, err = json.Marshal(struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers,omitempty"`
		Methods  []string `json:"bearer_methods_supported"`
	}{r.url, servers, []string{"header"}})
	return err
}

// challenge returns a challenge of RFC 6750 that also says where the metadata of r is
// (RFC 9728 §5.1). Challenges with other schemes, and none, stay as they are.
func (r *resource) challenge(challenge string) string {
	switch {
	case challenge == challengeBare:
		return challenge + " " + r.parameter
	case strings.HasPrefix(challenge, challengeBare+" "):
		return challenge + ", " + r.parameter
	}
	return challenge
}

// notInURL reports whether r is not a character of a URL (RFC 3986 §2), or would end a
// quoted string.
func notInURL(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"\\<>^`{|}", r) }
