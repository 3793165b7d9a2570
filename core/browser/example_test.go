package browser_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/browser"
)

// handle does what the function Handle of an adapter does, such as that of package nethttp.
func handle(endpoint jwtgate.Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		res := endpoint(r.Context(), jwtgate.HTTPRequest(r))
		res.CopyHeader(w.Header())
		w.WriteHeader(res.Status)
		_, _ = w.Write(res.Body)
	}
}

// A page imports the script from the server, and an editor finds the types beside it.
func Example() {
	mux := http.NewServeMux()
	mux.Handle("GET /jwtgate.js", handle(browser.Module))
	mux.Handle("GET /jwtgate.d.ts", handle(browser.Types))
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, path := range []string{"/jwtgate.js", "/jwtgate.d.ts"} {
		res, err := http.Get(server.URL + path)
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = res.Body.Close()
		fmt.Println(res.Header.Get("Content-Type"), res.Header.Get("Cache-Control"), strings.Contains(string(text), "export class Session"))
	}
	// Output:
	// text/javascript; charset=utf-8 no-cache true
	// text/plain; charset=utf-8 no-cache true
}
