package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/browser"
)

// TestFiles checks the answers to first, conditional and wrong requests.
func TestFiles(t *testing.T) {
	for _, file := range []struct {
		name, kind string
		endpoint   jwtgate.Endpoint
	}{
		{"jwtgate.js", "text/javascript; charset=utf-8", browser.Module},
		{"jwtgate.d.ts", "text/plain; charset=utf-8", browser.Types},
	} {
		text, err := os.ReadFile(file.name)
		if err != nil {
			t.Fatal(err)
		}
		first := file.endpoint(t.Context(), jwtgate.Request{Method: "GET"})
		tag := field(first, "ETag")
		for _, row := range []struct{ method, tags, want string }{
			{"GET", "", "200 " + file.kind + " no-cache " + tag + " whole"},
			{"HEAD", "", "200 " + file.kind + " no-cache " + tag + " whole"},
			{"GET", `"other"`, "200 " + file.kind + " no-cache " + tag + " whole"},
			{"GET", tag, "304  no-cache " + tag + " empty"},
			{"HEAD", `"other", W/` + tag, "304  no-cache " + tag + " empty"},
			{"POST", "", "405    empty"},
			{"POST", tag, "405    empty"},
		} {
			req := jwtgate.Request{Method: row.method, Header: http.Header{"If-None-Match": {row.tags}}}
			res := file.endpoint(context.Background(), req)
			body := map[string]string{"": "empty", string(text): "whole"}[string(res.Body)]
			got := fmt.Sprintf("%d %s %s %s %s", res.Status, field(res, "Content-Type"), field(res, "Cache-Control"), field(res, "ETag"), body)
			if got != row.want {
				t.Errorf("%s: %s, If-None-Match: %s: got %q; want %q", file.name, row.method, row.tags, got, row.want)
			}
			if allowed := field(res, "Allow"); (allowed == "GET, HEAD") != (res.Status == 405) {
				t.Errorf("%s: %s: got Allow: %q", file.name, row.method, allowed)
			}
		}
	}
}

// TestTags checks that different files have different tags.
func TestTags(t *testing.T) {
	req := jwtgate.Request{Method: "GET"}
	tags := []string{field(browser.Module(t.Context(), req), "ETag"), field(browser.Types(t.Context(), req), "ETag")}
	if tags[0] == tags[1] || slices.ContainsFunc(tags, func(tag string) bool { return !strings.HasPrefix(tag, `"`) }) {
		t.Errorf("got %q; want two strong entity tags", tags)
	}
}

func field(res jwtgate.Response, name string) string {
	for _, f := range res.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
