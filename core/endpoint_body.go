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
	"unicode/utf8"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// maxBody is the size of the largest body that an endpoint accepts, in bytes.
const maxBody = 64 << 10

var (
	errBodySize    = errors.New("jwtgate: the body is too large")
	errBodyType    = errors.New("jwtgate: the body is neither JSON nor a form")
	errBodyForm    = errors.New("jwtgate: the body is not a well-formed form, or has a parameter twice")
	errBodyMissing = errors.New("jwtgate: a required parameter is missing from the body")
	errGrantType   = errors.New("jwtgate: grant_type is not that of this endpoint")
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
		return nil, malformed(http.StatusBadRequest, fmt.Errorf("jwtgate: read the body: %w", err))
	}
	if len(body) > maxBody {
		return nil, malformed(http.StatusRequestEntityTooLarge, errBodySize)
	}
	if len(body) == 0 {
		return nil, nil
	}
	mediaType, options, err := mime.ParseMediaType(req.First("Content-Type"))
	if err != nil || !utf8Only(options) {
		return nil, malformed(http.StatusUnsupportedMediaType, errBodyType)
	}
	var found map[string]string
	switch mediaType {
	case "application/json":
		found, err = jose.Strings(string(body))
	case "application/x-www-form-urlencoded":
		found, err = parseForm(string(bytes.TrimRight(body, "\r\n")))
	default:
		return nil, malformed(http.StatusUnsupportedMediaType, errBodyType)
	}
	if err != nil {
		return nil, malformed(http.StatusBadRequest, err)
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
		return malformed(http.StatusBadRequest, errGrantType)
	}
	return nil
}

// malformed returns the refusal of a body with status 400, 413 or 415.
func malformed(status int, cause error) *Refusal {
	r := refuse(CodeMalformedRequest, cause)
	r.Status = status
	return r
}
