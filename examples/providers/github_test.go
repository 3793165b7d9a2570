package providers

import (
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

func TestGitHub(t *testing.T) {
	t.Parallel()
	const issuer = "https://token.actions.githubusercontent.com"
	p := &provider{
		metadata: issuer + "/.well-known/openid-configuration",
		jwks:     issuer + "/.well-known/jwks",
		jwk: []string{
			`{"kty":"RSA","alg":"RS256","use":"sig","kid":"cc413527-173f-5a05-976e-9c52b1d7b431"}`,
			`{"kty":"RSA","alg":"RS256","use":"sig","kid":"38826b17-6a30-5f9b-b169-8beb8202f723"}`,
		},
		header: `{"typ":"JWT","alg":"RS256","x5t":"thumbprint","kid":"cc413527-173f-5a05-976e-9c52b1d7b431"}`,
		claims: `{"jti":"j","sub":"repo:example/shop:ref:refs/heads/main","aud":"https://api.example.com","ref":"refs/heads/main","sha":"s","repository":"example/shop",
			"repository_owner":"example","actor_id":"12","repository_visibility":"private","repository_id":"74","repository_owner_id":"65","run_id":"1","run_number":"10",
			"run_attempt":"2","runner_environment":"github-hosted","actor":"alice","workflow":"deploy","head_ref":"","base_ref":"","event_name":"push","ref_type":"branch",
			"workflow_ref":"example/shop/.github/workflows/deploy.yml@refs/heads/main","job_workflow_ref":"example/shop/.github/workflows/deploy.yml@refs/heads/main",
			"iss":"` + issuer + `","nbf":1799999400,"exp":1800000300,"iat":1800000000}`,
	}
	p.start(t)
	p.test(t, withProviders(secret, github()), []row{
		{"token of the job", "", "", "repo:example/shop:ref:refs/heads/main [] []"},
		{"of another workflow", "", `{"workflow_ref":"example/shop/.github/workflows/test.yml@refs/heads/main"}`, invalid},
		{"of a pull request", "", `{"sub":"repo:example/shop:pull_request","ref":"refs/pull/7/merge","event_name":"pull_request","workflow_ref":"example/shop/.github/workflows/deploy.yml@refs/pull/7/merge"}`, invalid},
		{"of another repository", "", `{"sub":"repo:evil/shop:ref:refs/heads/main","repository":"evil/shop","repository_id":"666","workflow_ref":"evil/shop/.github/workflows/deploy.yml@refs/heads/main"}`, invalid},
		{"of a new repository with the old name", "", `{"repository_id":"666"}`, invalid},
		{"for the default audience", "", `{"aud":"https://github.com/example"}`, invalid},
		{"for another server", "", `{"aud":"sts.amazonaws.com"}`, invalid},
	}, jwtgate.ClaimsOf[deployment]())
}
