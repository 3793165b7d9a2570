package providers

import "testing"

func TestClerk(t *testing.T) {
	t.Parallel()
	p := &provider{
		jwks:   "https://clerk.example.com/.well-known/jwks.json",
		jwk:    []string{`{"use":"sig","kty":"RSA","kid":"ins_2a3b4c5d6e7f8g9h","alg":"RS256"}`},
		header: `{"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":"ins_2a3b4c5d6e7f8g9h","typ":"JWT"}`,
		claims: `{"azp":"https://app.example.com","exp":1800000120,"fva":[7,-1],"iat":1800000060,"iss":"https://clerk.example.com","nbf":1800000050,"sid":"sess_123","sts":"active",
			"sub":"user_123","v":2,"o":{"id":"org_123","rol":"admin","slg":"shop"}}`,
	}
	p.start(t)
	p.test(t, withProviders(secret, clerk()), []row{
		{"session token", "", "", "user_123 [admin] []"},
		{"session token of the second page", "", `{"azp":"http://localhost:3000"}`, "user_123 [admin] []"},
		{"session token of version 1", "", `{"v":null,"o":null,"sts":null,"org_id":"org_123","org_slug":"shop","org_role":"org:admin"}`, "user_123 [org:admin] []"},
		{"session token without an organization", "", `{"o":null}`, "user_123 [] []"},
		{"session token of another page", "", `{"azp":"https://other.example.com"}`, invalid},
		{"session token of another page, with our page as aud", "", `{"azp":"https://other.example.com","aud":"https://app.example.com"}`, invalid},
		{"session token without azp", "", `{"azp":null}`, invalid},
		{"session token of another instance", "", `{"iss":"https://clerk.other.example"}`, invalid},
	})
}
