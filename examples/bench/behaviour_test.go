package bench_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// compared are the columns of the comparison in the README.
var compared = []struct{ title, framework, contender string }{
	{"jwtgate", "nethttp", warm},
	{"echo-jwt", "echo", "echo-jwt"},
	{"gin-jwt", "gin", "gin-jwt"},
	{"contrib/jwt", "fiber", "contrib-jwt"},
	{"auth0", "nethttp", "auth0"},
	{"by hand", "nethttp", byHand},
}

// behaviours are the rows of that comparison. Each is a request, and what the best
// answer to it is.
var behaviours = []struct {
	name string
	send func(tb testing.TB, k *key) []string // the Authorization fields
	good func(got answered) bool
}{
	{"a token without `exp` is refused", signed(`"exp":0,`, ``), refused},
	{"a token for another service is refused", signed(`"aud":["https://api.example.com"]`, `"aud":["https://other.example.com"]`), refused},
	{"a token with two values of a claim is refused", signed(`"sub":"alice"`, `"sub":"bob","sub":"alice"`), refused},
	{"an extension in `crit` that is not understood is refused", withHeader(`,"crit":["exp2"],"exp2":1`), refused},
	{"a second spelling of the same token is refused", func(tb testing.TB, k *key) []string {
		return []string{"Bearer " + respelled(k.token(tb, 0))}
	}, refused},
	{"two `Authorization` fields are refused", func(tb testing.TB, k *key) []string {
		return []string{"Bearer " + k.token(tb, 0), "Bearer " + k.token(tb, 1)}
	}, refused},
	{"401 has the challenge of RFC 6750", func(tb testing.TB, k *key) []string {
		return []string{"Bearer " + forge(k.token(tb, 0))}
	}, func(got answered) bool {
		return got.status == http.StatusUnauthorized && strings.HasPrefix(got.challenge, "Bearer") && strings.Contains(got.challenge, `error="invalid_token"`)
	}},
}

// answered is what counts of an answer.
type answered struct {
	status    int
	challenge string // WWW-Authenticate
}

func refused(got answered) bool {
	return got.status == http.StatusUnauthorized || got.status == http.StatusBadRequest
}

// signed returns the good token with a change of its claims.
func signed(old, changed string) func(tb testing.TB, k *key) []string {
	return func(tb testing.TB, k *key) []string {
		claims := fmt.Sprintf(`{"iss":%q,"sub":"alice","aud":[%q],"exp":0,"iat":%d,"roles":["admin"]}`, issuer, audience, began.Unix())
		claims = strings.Replace(claims, old, changed, 1)
		claims = strings.Replace(claims, `"exp":0`, fmt.Sprintf(`"exp":%d`, began.Add(time.Hour).Unix()), 1)
		return []string{"Bearer " + jwtgatetest.Sign(tb, k.algorithm, k.private, `{"alg":"HS256"}`, claims)}
	}
}

// withHeader returns the good token with more members in its header.
func withHeader(more string) func(tb testing.TB, k *key) []string {
	return func(tb testing.TB, k *key) []string {
		claims := fmt.Sprintf(`{"iss":%q,"sub":"alice","aud":[%q],"exp":%d,"iat":%d,"roles":["admin"]}`, issuer, audience, began.Add(time.Hour).Unix(), began.Unix())
		return []string{"Bearer " + jwtgatetest.Sign(tb, k.algorithm, k.private, `{"alg":"HS256"`+more+`}`, claims)}
	}
}

// respelled returns token with another last character that decodes to the same bytes: a
// signature of 32 bytes leaves two bits of it unused.
func respelled(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + alphabet[last^1:last^1+1]
}

// TestComparison checks the rows of the comparison in the README whose name is that of a
// behaviour: it sends the request to each library, configured as its documentation shows.
func TestComparison(t *testing.T) {
	k := keyOf("HS256")
	cells := comparison(t)
	for i, column := range compared {
		url := serve(t, column.framework, column.contender, k)
		if got := get(t, url, []string{"Bearer " + k.token(t, 0)}); got.status != http.StatusNoContent {
			t.Fatalf("%s: a good token gets status %d; want %d", column.title, got.status, http.StatusNoContent)
		}
		for _, row := range behaviours {
			got := map[bool]string{true: "yes", false: "no"}[row.good(get(t, url, row.send(t, k)))]
			if want := cells[row.name]; len(want) <= i || want[i] != got {
				t.Errorf("%s, %s: got %s; the README has %q", column.title, row.name, got, want)
			}
		}
	}
}

// comparison returns the rows of the comparison in the README, by their first cell.
func comparison(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, column := range compared {
		titles = append(titles, column.title)
	}
	_, table, found := strings.Cut(string(text), "\n| | "+strings.Join(titles, " | ")+" |")
	if !found {
		t.Fatalf("the README has no table with the columns %q", titles)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(table) {
		if strings.TrimSpace(line) == "" && len(rows) > 0 {
			break
		}
		if cells := regexp.MustCompile(`\s*\|\s*`).Split(strings.Trim(line, "| \n"), -1); len(cells) > 1 {
			rows[strings.TrimSpace(cells[0])] = cells[1:]
		}
	}
	return rows
}

// serve serves a contender and returns its URL.
func serve(t *testing.T, framework, name string, k *key) string {
	t.Helper()
	for _, rivals := range contenders {
		for _, c := range rivals {
			if c.framework != framework || c.name != name {
				continue
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			go func() { _ = c.open(k).serve(l) }()
			return l.Addr().String()
		}
	}
	t.Fatalf("there is no contender %s on %s", name, framework)
	return ""
}

// get sends a request with the given Authorization fields.
func get(t *testing.T, address string, authorization []string) answered {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := "GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n"
	for _, field := range authorization {
		request += "Authorization: " + field + "\r\n"
	}
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return answered{res.StatusCode, res.Header.Get("WWW-Authenticate")}
}
