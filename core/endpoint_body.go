package jwtgate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// maxBody is the size of the largest body that an endpoint accepts, in bytes.
const maxBody = 64 << 10

// The details of refused bodies.
const (
	detailBodyUnread = "The request body could not be read."
	detailBodySize   = "The request body is larger than 64 KiB."
	detailBodyType   = "The request body must be JSON (application/json) or a form (application/x-www-form-urlencoded), in UTF-8."
	detailBodyJSON   = "The request body is not a well-formed JSON object, or has a member twice."
	detailBodyForm   = "The request body is not a well-formed form, or has a parameter twice."
)

var (
	errBodySize  = errors.New("jwtgate: the body is too large")
	errBodyType  = errors.New("jwtgate: the body is neither JSON nor a form")
	errBodyForm  = errors.New("jwtgate: the body is not a well-formed form, or has a parameter twice")
	errGrantType = errors.New("jwtgate: grant_type is not that of this endpoint")
)

// parameters returns the parameters in req's body: a form (RFC 6749 §3.2) or a JSON
// object of strings. No parameter may occur twice. An empty body has no parameters,
// whatever its type.
func parameters(req *Request) (map[string]string, *Refusal) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
	if err != nil {
		return nil, malformed(http.StatusBadRequest, detailBodyUnread, fmt.Errorf("jwtgate: read the body: %w", err))
	}
	if len(body) > maxBody {
		return nil, malformed(http.StatusRequestEntityTooLarge, detailBodySize, errBodySize)
	}
	if len(body) == 0 {
		return nil, nil
	}
	mediaType, options, err := mime.ParseMediaType(req.First("Content-Type"))
	if err != nil || !utf8Only(options) {
		return nil, malformed(http.StatusUnsupportedMediaType, detailBodyType, errBodyType)
	}
	var found map[string]string
	detail := detailBodyJSON
	switch mediaType {
	case "application/json":
		found, err = jose.Strings(string(body))
	case "application/x-www-form-urlencoded":
		detail = detailBodyForm
		found, err = parseForm(string(bytes.TrimRight(body, "\r\n")))
	default:
		return nil, malformed(http.StatusUnsupportedMediaType, detailBodyType, errBodyType)
	}
	if err != nil {
		return nil, malformed(http.StatusBadRequest, detail, err)
	}
	// RFC 6749 §3.2: a parameter with an empty value counts as omitted.
	maps.DeleteFunc(found, func(_, value string) bool { return value == "" })
	return found, nil
}

// utf8Only reports whether the parameters of a media type name no charset but UTF-8.
func utf8Only(options map[string]string) bool {
	for name, value := range options {
		if name != "charset" || !bytes.EqualFold([]byte(value), []byte("utf-8")) {
			return false
		}
	}
	return true
}

func parseForm(body string) (map[string]string, error) {
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil, errBodyForm
	}
	found := make(map[string]string, len(values))
	for name, given := range values {
		if len(given) != 1 || !utf8.ValidString(name) || !utf8.ValidString(given[0]) {
			return nil, errBodyForm
		}
		found[name] = given[0]
	}
	return found, nil
}

// checkGrantType refuses a grant_type that is present and differs from want.
func checkGrantType(parameters map[string]string, want string) *Refusal {
	if given, ok := parameters["grant_type"]; ok && given != want {
		return malformed(http.StatusBadRequest, "The parameter grant_type must be "+want+", or be left out.", errGrantType)
	}
	return nil
}

// malformed returns the refusal of a body with status 400, 413 or 415. The detail tells
// the client what the endpoint reads.
func malformed(status int, detail string, cause error) *Refusal {
	r := refuse(CodeMalformedRequest, cause)
	r.Status, r.Detail = status, detail
	return r
}

// missingParameters returns the refusal of a body that has params, for the parameters
// among names that it does not have.
func missingParameters(params map[string]string, names ...string) *Refusal {
	cause := &missingError{params: params}
	for _, name := range names {
		if params[name] == "" {
			cause.names = append(cause.names, name)
		}
	}
	verb := "The parameter " + cause.names[0] + " is"
	if len(cause.names) > 1 {
		verb = "The parameters " + strings.Join(cause.names, " and ") + " are"
	}
	return malformed(http.StatusBadRequest, verb+" missing from the request body, which must be JSON (application/json) or a form (application/x-www-form-urlencoded).", cause)
}

// A missingError says that a body with params does not have the parameters names.
type missingError struct {
	names  []string
	params map[string]string
}

func (e *missingError) Error() string {
	return "jwtgate: the body has no " + strings.Join(e.names, " and no ")
}
