package providers

import (
	"errors"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// github accepts the tokens of jobs of GitHub Actions, from every repository on GitHub.
// Protect the route with jwtgate.ClaimsOf[deployment]().
func github() jwtgate.TrustedIssuer {
	return jwtgate.TrustedIssuer{
		Name:     "https://token.actions.githubusercontent.com",
		Audience: "https://api.example.com",
		Keys:     keys.Remote{},
	}
}

// A deployment is a job that deploys the shop.
type deployment struct {
	RepositoryID string `json:"repository_id"`
	Workflow     string `json:"workflow_ref"`
}

// Validate refuses the jobs of other repositories, workflows and branches.
func (d deployment) Validate() error {
	if d.RepositoryID != "74" || d.Workflow != "example/shop/.github/workflows/deploy.yml@refs/heads/main" {
		return errors.New("another repository, workflow or branch")
	}
	return nil
}
