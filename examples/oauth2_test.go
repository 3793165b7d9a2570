package examples

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"golang.org/x/oauth2"
)

// TestOAuth2 checks that golang.org/x/oauth2 works with /token and /refresh, in each
// way to send a client ID.
func TestOAuth2(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "ACCESS_TTL=5s") { // too short for the client, which therefore refreshes at once
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInParams, oauth2.AuthStyleInHeader} {
			config := func(path string) *oauth2.Config {
				return &oauth2.Config{ClientID: "app", ClientSecret: "unused", Endpoint: oauth2.Endpoint{TokenURL: p.url + path, AuthStyle: style}}
			}
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, client)
			first, err := config("/token").PasswordCredentialsToken(ctx, "alice", "wonderland")
			if err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
			source := config("/refresh").TokenSource(ctx, first)
			second, err := source.Token()
			if err != nil || second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken || second.Type() != "Bearer" {
				t.Errorf("%s: got %+v, %v; want new tokens", p.name, second, err)
			}
			res, err := oauth2.NewClient(ctx, source).Get(p.url + "/me")
			if err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: GET /me: got %s; want 200", p.name, res.Status)
			}

			p.want(t, 204, "", "POST", "/logout", "", bearer(second.AccessToken))
			_, ended := source.Token()
			_, wrong := config("/token").PasswordCredentialsToken(ctx, "alice", "builder")
			for _, err := range []error{ended, wrong} {
				var refused *oauth2.RetrieveError
				if !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
					t.Errorf("%s: got %v; want invalid_grant", p.name, err)
				}
			}
		}
	}
}
