package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

// A server of the Model Context Protocol tells its clients where to get an access
// token: the challenge of a 401 leads to the metadata (RFC 9728), and the metadata to
// the authorization server.
func ExampleHandle_mcp() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://idp.example.com",
		Audience: "https://tools.example.com/mcp",
		Keys:     keys.Remote{}, // found by OpenID Connect discovery
		Resource: "https://tools.example.com/mcp",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()
	tools := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })

	mux := http.NewServeMux()
	mux.Handle("/mcp", nethttp.Protect(auth, jwtgate.Scope("tools"))(tools))
	mux.Handle("GET /.well-known/oauth-protected-resource/mcp", nethttp.Handle(auth.ResourceMetadata))

	res := httptest.NewRecorder()
	mux.ServeHTTP(res, httptest.NewRequest(http.MethodPost, "/mcp", nil))
	fmt.Println(res.Code, res.Header().Get("WWW-Authenticate"))

	res = httptest.NewRecorder()
	mux.ServeHTTP(res, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", nil))
	fmt.Println(res.Code, res.Body)
	// Output:
	// 401 Bearer resource_metadata="https://tools.example.com/.well-known/oauth-protected-resource/mcp"
	// 200 {"resource":"https://tools.example.com/mcp","authorization_servers":["https://idp.example.com"],"bearer_methods_supported":["header"]}
}
