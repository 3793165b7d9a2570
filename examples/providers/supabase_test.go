package providers

import "testing"

func TestSupabase(t *testing.T) {
	t.Parallel()
	legacy := []byte("the legacy JWT secret of the project shop")
	p := &provider{
		jwks:         "https://abcdefgh.supabase.co/auth/v1/.well-known/jwks.json",
		cacheControl: "public, max-age=600",
		jwk:          []string{`{"alg":"ES256","crv":"P-256","ext":true,"key_ops":["verify"],"kid":"b81269f1-21d8-4f2e-b719-c2240a840d90","kty":"EC","use":"sig"}`},
		secret:       legacy,
		header:       `{"alg":"ES256","kid":"b81269f1-21d8-4f2e-b719-c2240a840d90","typ":"JWT"}`,
		claims: `{"iss":"https://abcdefgh.supabase.co/auth/v1","sub":"123e4567-e89b-12d3-a456-426614174000","aud":"authenticated","exp":1800003600,"iat":1800000000,
			"email":"alice@example.com","phone":"","app_metadata":{"provider":"email","providers":["email"],"roles":["editor"]},"user_metadata":{"roles":["admin"]},
			"role":"authenticated","aal":"aal1","amr":[{"method":"password","timestamp":1800000000}],"session_id":"s","is_anonymous":false}`,
	}
	p.start(t)
	const alice = "123e4567-e89b-12d3-a456-426614174000 [authenticated editor] []"
	p.test(t, withProviders(secret, supabase(legacy)), []row{
		{"access token", "", "", alice},
		{"access token by the legacy secret", `{"alg":"HS256","kid":"Qm9vK3ZpbGxl"}`, "", alice},
		{"access token by the legacy secret, without kid", `{"alg":"HS256","kid":null}`, "", alice},
		{"legacy service_role key", `{"alg":"HS256","kid":null}`, `{"iss":"supabase","ref":"abcdefgh","role":"service_role","sub":null,"aud":null,"iat":1700000000,"exp":2015360000}`, invalid},
		{"for another audience", "", `{"aud":"anon"}`, invalid},
		{"of another project", "", `{"iss":"https://other.supabase.co/auth/v1"}`, invalid},
	})
	send := p.serve(t, withProviders(secret, supabase(legacy)))
	if got := send(p.signWith(t, []byte("the legacy JWT secret of another project"), `{"alg":"HS256","kid":null}`, "")); got != invalid {
		t.Errorf("by the legacy secret of another project: got %s; want %s", got, invalid)
	}
}
