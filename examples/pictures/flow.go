package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// A step is a request and its answer, or a note between two.
type step struct {
	From    string // browser or thief
	Request string
	Answer  string
	Note    string
}

// A flow sends requests and keeps what happened. The cookies of the answers get short
// names in the order in which they come: the same value has the same name.
type flow struct {
	url   string
	steps []step
	names map[string]string
}

// drawFlow draws the life of a session as it happens at a server: a renewal whose answer is
// lost, its repetition, and the use of a copied refresh token.
func drawFlow(ctx context.Context) error {
	const life, window = 2 * time.Second, time.Second
	url, stop, err := serve(ctx, "ACCESS_TTL="+life.String(), "REUSE_WINDOW="+window.String())
	if err != nil {
		return err
	}
	defer stop()
	f := &flow{url: url, names: make(map[string]string)}
	first, err := f.send(ctx, "browser", "POST", "/login", "username=alice&password=wonderland", nil)
	if err != nil {
		return err
	}
	if _, err := f.send(ctx, "browser", "GET", "/me", "", first); err != nil {
		return err
	}
	f.wait(life+100*time.Millisecond, "the access token expires")
	if _, err := f.send(ctx, "browser", "GET", "/report", "", first); err != nil {
		return err
	}
	f.wait(window+100*time.Millisecond, "the answer is lost, and the browser tries again later")
	second, err := f.send(ctx, "browser", "GET", "/report", "", first)
	if err != nil {
		return err
	}
	if _, err := f.send(ctx, "browser", "GET", "/me", "", second); err != nil {
		return err
	}
	f.wait(3*window+time.Second, "the new token is in use: the copy of a thief is now too old")
	stolen := []*http.Cookie{first[1]}
	if _, err := f.send(ctx, "thief", "GET", "/me", "", stolen); err != nil {
		return err
	}
	if _, err := f.send(ctx, "browser", "GET", "/me", "", second); err != nil {
		return err
	}
	return f.draw("flow")
}

// wait passes time and adds a note.
func (f *flow) wait(d time.Duration, note string) {
	time.Sleep(d)
	f.steps = append(f.steps, step{Note: note})
}

// send sends a request with cookies and returns those of the answer.
func (f *flow) send(ctx context.Context, from, method, path, body string, cookies []*http.Cookie) ([]*http.Cookie, error) {
	req, err := http.NewRequestWithContext(ctx, method, f.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	var sent []string
	for _, cookie := range cookies {
		req.AddCookie(cookie)
		sent = append(sent, f.name(cookie))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // only the header matters
	s := step{From: from, Request: method + " " + path, Answer: res.Status}
	if len(sent) > 0 {
		s.Request += " with " + strings.Join(sent, ", ")
	}
	var problem struct{ Code string }
	if res.StatusCode >= 400 {
		if err := json.NewDecoder(res.Body).Decode(&problem); err != nil {
			return nil, err
		}
		s.Answer = fmt.Sprint(res.StatusCode, " ", problem.Code)
	}
	var set []string
	for _, cookie := range res.Cookies() {
		if cookie.MaxAge > 0 {
			set = append(set, f.name(cookie))
		}
	}
	switch {
	case len(set) > 0:
		s.Answer += " sets " + strings.Join(set, ", ")
	case len(res.Cookies()) > 0:
		s.Answer += " deletes the cookies"
	}
	f.steps = append(f.steps, s)
	return res.Cookies(), nil
}

// name returns the short name of a cookie, such as access 1 or refresh 2.
func (f *flow) name(cookie *http.Cookie) string {
	kind := map[string]string{"__Host-at": "access", "__Host-rt": "refresh"}[cookie.Name]
	if name, known := f.names[cookie.Value]; known {
		return name
	}
	n := 1
	for _, name := range f.names {
		if strings.HasPrefix(name, kind) {
			n++
		}
	}
	f.names[cookie.Value] = fmt.Sprint(kind, " ", n)
	return f.names[cookie.Value]
}

// layout is the picture of the flow: three lines from top to bottom, and arrows between
// them.
var layout = template.Must(template.New("flow").Funcs(template.FuncMap{
	"x":   func(who string) int { return map[string]int{"browser": 110, "server": 480, "thief": 850}[who] },
	"mid": func(who string) int { return (map[string]int{"browser": 110, "thief": 850}[who] + 480) / 2 },
	"add": func(a, b int) int { return a + b },
}).Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {{.Height}}" font-family="system-ui, sans-serif" font-size="14">
<style>
  text { fill: #1d2129; text-anchor: middle }
  .line { stroke: #9aa3af; stroke-dasharray: 4 4 }
  .ask, .answer { stroke: #0b62d6; stroke-width: 1.5; marker-end: url(#head) }
  .bad { stroke: #b3261e }
  .note { font-style: italic; fill: #5d6673 }
  .who { font-weight: 600 }
  rect { fill: #fff }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker></defs>
<rect width="960" height="{{.Height}}"/>
{{range $who := .Who}}<text class="who" x="{{x $who}}" y="28">{{$who}}</text>
<line class="line" x1="{{x $who}}" x2="{{x $who}}" y1="40" y2="{{$.Height}}"/>
{{end}}{{range .Rows}}{{if .Note}}<rect x="180" y="{{add .Y -14}}" width="600" height="20"/><text class="note" x="480" y="{{.Y}}">{{.Note}}</text>
{{else}}<text x="{{mid .From}}" y="{{add .Y -6}}">{{.Request}}</text>
<line class="ask" x1="{{x .From}}" x2="{{x "server"}}" y1="{{.Y}}" y2="{{.Y}}"/>
<text x="{{mid .From}}" y="{{add .Y 20}}">{{.Answer}}</text>
<line class="answer{{if .Bad}} bad{{end}}" x1="{{x "server"}}" x2="{{x .From}}" y1="{{add .Y 26}}" y2="{{add .Y 26}}"/>
{{end}}{{end}}</svg>
`))

// draw writes the steps as a picture.
func (f *flow) draw(name string) error {
	type row struct {
		step
		Y   int
		Bad bool
	}
	var rows []row
	y := 70
	for _, s := range f.steps {
		rows = append(rows, row{s, y, strings.HasPrefix(s.Answer, "4")})
		if y += 66; s.Note != "" {
			y -= 28
		}
	}
	var picture bytes.Buffer
	data := map[string]any{"Who": []string{"browser", "server", "thief"}, "Rows": rows, "Height": y}
	if err := layout.Execute(&picture, data); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".svg"), picture.Bytes(), 0o644) //nolint:gosec // a picture that everybody may see
}
