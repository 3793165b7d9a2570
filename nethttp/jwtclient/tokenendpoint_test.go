package jwtclient_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestExpiresIn checks the forms of expires_in that servers send.
func TestExpiresIn(t *testing.T) {
	t.Parallel()
	const years = 10 * 365 * 24 * time.Hour
	for _, row := range []struct {
		text string
		want time.Duration // 0 if unknown
	}{
		{`"expires_in":3600`, time.Hour},
		{`"expires_in":"3600"`, time.Hour},
		{`"expires_in":0.5`, time.Second / 2},
		{`"expires_in":1e300`, years},
		{`"expires_in":9223372036854775807`, years},
		{`"expires_in":1e999`, 0},
		{`"expires_in":0`, 0},
		{`"expires_in":-3600`, 0},
		{`"expires_in":null`, 0},
		{`"expires":3600`, 0},
	} {
		t.Run(row.text, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
					return answer(http.StatusOK, `{"access_token":"a","token_type":"Bearer",`+row.text+`}`)
				}), nil)
				if err := transport.SignIn(t.Context(), "alice", "wonderland"); err != nil {
					t.Fatal(err)
				}
				_, got, err := transport.Token(t.Context())
				if want := expires(row.want); !got.Equal(want) || err != nil {
					t.Errorf("got %v, %v; want %v", got, err, want)
				}
			})
		})
	}
}

// TestSessionEnded checks which error responses of the refresh endpoint end the
// session.
func TestSessionEnded(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status int
		body   string
		over   bool
	}{
		{401, `{"code":"refresh_expired","error":"invalid_grant"}`, true},
		{401, `{"code":"refresh_reused"}`, true},
		{400, `{"error":"invalid_grant"}`, true},
		{401, `{"error":"invalid_grant"}`, true},
		{400, `{"error":"invalid_request"}`, false},
		{401, `{"error":"invalid_client"}`, false},
		{401, `{"code":"token_invalid"}`, false},
		{401, `{"code":"refresh_stale","error":"invalid_grant"}`, false},
		{403, `{"error":"invalid_grant"}`, false},
		{500, `{"error":"invalid_grant"}`, false},
		{503, `{"code":"refresh_expired"}`, false},
		{401, `{"code":"refresh_stale","error":"invalid_grant"}`, false},
		{503, `{"code":"unavailable"}`, false},
		{401, `refresh_expired`, false},
	} {
		t.Run(fmt.Sprint(row.status, row.body), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
					asked++
					res := status(row.status)
					res.Body = io.NopCloser(strings.NewReader(row.body))
					return res
				}), nil)
				if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Minute)}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(55 * time.Second) // so that the tokens are renewed ahead
				_, _, err := transport.Token(t.Context())
				if errors.Is(err, jwtclient.ErrSignedOut) != row.over || !row.over && err != nil {
					t.Errorf("got %v; want signed out: %t", err, row.over)
				}
				var refusal *jwtgate.Refusal
				if row.over && (!errors.As(err, &refusal) || refusal.Code == "" || refusal.Status != row.status) {
					t.Errorf("got %v; want the refusal in it", err)
				}
				asked = 0
				time.Sleep(time.Hour)
				if _, _, err := transport.Token(t.Context()); errors.Is(err, jwtclient.ErrSignedOut) != row.over || (asked == 0) != row.over {
					t.Errorf("later got %v, and %d requests", err, asked)
				}
			})
		})
	}
}
