package jwtclient_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"
)

// answering is a base that responds with the result of the function.
type answering func(*http.Request) *http.Response

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := f(r)
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return res, nil
}

// answer returns a response with text as its body. fields are the names and values
// of its header fields in turn.
func answer(code int, text string, fields ...string) *http.Response {
	w := httptest.NewRecorder()
	for pair := range slices.Chunk(fields, 2) {
		w.Header().Set(pair[0], pair[1])
	}
	w.WriteHeader(code)
	_, _ = w.WriteString(text)
	return w.Result()
}

// status returns a response without a body.
func status(code int, fields ...string) *http.Response { return answer(code, "", fields...) }

// tokens returns a response of a token endpoint (RFC 6749 §5.1).
func tokens(access, refresh string, life time.Duration) *http.Response {
	w := httptest.NewRecorder()
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%d,"refresh_token":%q}`, access, life/time.Second, refresh)
	return w.Result()
}
