package examples

import (
	"crypto/elliptic"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
	"github.com/jwtgate/jwtgate/nethttp"
)

// TestMetricNames checks that every metric, and every event, that the alert rules and the
// dashboard name is one that a server has.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	p, metrics := startWithMetrics(t, "nethttp", "JWT_KEY="+secret, "OIDC_ISSUER="+startIssuer(t))
	p.want(t, 200, "ready", "GET", "/readyz", "") // it fetches the issuer's keys
	p.want(t, 401, "", "GET", "/me", "")
	text := metrics()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations struct{ Summary string }
			}
		}
	}
	if err := yaml.Unmarshal(readFile(t, "operations/alerts.yml"), &rules); err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(readFile(t, "operations/dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	expressions := map[string]string{}
	for _, rule := range rules.Groups[0].Rules {
		if expressions[rule.Alert] = rule.Expr; rule.Annotations.Summary == "" {
			t.Errorf("%s has no summary", rule.Alert)
		}
	}
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			expressions[panel.Title+" "+strconv.Itoa(i)] = target.Expr
		}
	}
	if len(expressions) < 30 {
		t.Errorf("got %d expressions; want those of all rules and panels", len(expressions))
	}
	names := regexp.MustCompile(`jwtgate_\w+`)
	values := regexp.MustCompile(`(jwtgate_event|jwtgate_code)=~?"([^"$]+)"`)
	for place, expression := range expressions {
		// The label names begin with jwtgate_ too.
		for _, name := range names.FindAllString(expression, -1) {
			if !regexp.MustCompile(`(?m)(^|[{,])` + name + `[{= ]`).MatchString(text) {
				t.Errorf("%s: there is no metric or label %s", place, name)
			}
		}
		for _, match := range values.FindAllStringSubmatch(expression, -1) {
			for value := range strings.SplitSeq(match[2], "|") {
				if !strings.Contains(text, match[1]+`="`+value+`"`) && value != "token_invalid" {
					t.Errorf("%s: there is no %s=%q", place, match[1], value)
				}
			}
		}
	}
}

// startIssuer starts an issuer that publishes one key, and returns its name.
func startIssuer(t *testing.T) string {
	t.Helper()
	auth, err := jwtgate.New(jwtgate.Config{Issuer: "x", Audience: "x", Keys: keys.ES256(newECDSA(t, elliptic.P256()))})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/jwks", nethttp.Handle(auth.JWKS))
	issuer := httptest.NewServer(mux)
	t.Cleanup(issuer.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": issuer.URL, "jwks_uri": issuer.URL + "/jwks"})
	})
	return issuer.URL
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestOperatorsPage runs the commands of the page for operators against a server, and
// compares what they print.
func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl", "redis-cli"} {
		_ = programs.Installed(t, program)
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/jwtgate/jwtgate/core/cmd/jwtgate").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := programs.StartRedis(t)
	folder := t.TempDir()
	key, err := exec.Command(filepath.Join(bin, "jwtgate"), "key", "-alg", "ES256").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "1.pem"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"JWT_ALG=ES256", "JWT_KEY=" + folder, "REDIS_URL=" + r.URL(), "REUSE_WINDOW=1s"}
	p := start(t, "nethttp", append(env, "REFRESH_KEY="+secret)...)
	restarted := start(t, "nethttp", append(env, "REFRESH_KEY="+strings.Repeat("another refresh key, ", 2))...)

	page := string(readFile(t, "operations/README.md"))
	heading := regexp.MustCompile(`(?m)^##+ (.*)$`)
	var titles []string
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatchIndex(page, -1) {
		before := heading.FindAllStringSubmatch(page[:block[0]], -1)
		title, script := before[len(before)-1][1], page[block[2]:block[3]]
		titles = append(titles, title)
		var want []string
		for _, match := range regexp.MustCompile(`(?m)  # prints (.*)$`).FindAllStringSubmatch(script, -1) {
			want = append(want, match[1])
		}
		api := p.url
		stolen := tokens(t, p, "/token", alice, asForm)
		if title == "The refresh key has leaked" {
			api = restarted.url
		}
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "API="+api, "PID="+strconv.Itoa(p.cmd.Process.Pid), "KEYS="+folder,
			"REDIS=-p "+r.Port, "STOLEN="+stolen.AccessToken, "REFRESH="+stolen.RefreshToken)
		out, err := cmd.CombinedOutput()
		if got := strings.Split(strings.TrimSpace(string(out)), "\n"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, got %q; want %q", title, err, got, want)
		}
	}
	wantTitles := []string{"Redis", "A token of one user was stolen", "The signing key has leaked", "The refresh key has leaked", "Everyone must sign in again"}
	if !slices.Equal(titles, wantTitles) {
		t.Errorf("got recipes %q; want %q", titles, wantTitles)
	}
	limited := start(t, "nethttp", "JWT_KEY="+secret, "REDIS_URL=redis://jwtgate:a%20password@127.0.0.1:"+r.Port)
	limited.want(t, 200, "ready", "GET", "/readyz", "")
	limited.want(t, 204, "", "POST", "/logout", "refresh_token="+tokens(t, limited, "/token", alice, asForm).RefreshToken, asForm)
}
