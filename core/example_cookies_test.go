package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// exampleConfig is the configuration of a site with logins by browser.
func exampleConfig() jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://www.example.com",
		Keys:     keys.HS256([]byte("at least 32 bytes, from a secret store")),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{
			Subject: func(_ context.Context, subject string) (jwtgate.Grant, error) {
				return jwtgate.Grant{Roles: []string{"user"}}, nil // from your database
			},
		},
	}
}

// A browser signs in and gets two cookies. Scripts do not need to handle tokens.
// With an adapter, this is e.POST("/login", echojwt.Handle(auth.Login(check))).
func ExampleAuth_Login() {
	auth, err := jwtgate.New(exampleConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	login := auth.Login(func(_ context.Context, username, password string) (string, bool, error) {
		return username, username == "alice" && password == "wonderland", nil // compare with a password hash instead
	})
	res := login(context.Background(), jwtgate.Request{
		Method: http.MethodPost,
		Host:   "www.example.com",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   strings.NewReader("username=alice&password=wonderland"),
	})

	fmt.Print(res.Status, " ", string(res.Body))
	for _, field := range res.Header {
		if field.Name != "Set-Cookie" {
			continue
		}
		cookie, err := http.ParseSetCookie(field.Value)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(cookie.Name, "for script:", !cookie.HttpOnly, "for plain HTTP:", !cookie.Secure)
	}
	// Output:
	// 200 {"expires_in":900}
	// __Host-at for script: false for plain HTTP: false
	// __Host-rt for script: false for plain HTTP: false
}

// A handler of the application, such as the callback of an OpenID Connect provider, signs
// the visitor in and redirects the browser. The function Send of an adapter does the work
// of CopyHeader and the check of the status.
func ExampleTokens_Cookies() {
	auth, err := jwtgate.New(exampleConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	callback := func(w http.ResponseWriter, r *http.Request) {
		subject := "alice" // from the provider's ID token, after checking it, and the state against this browser's cookie
		tokens, err := auth.SignIn(r.Context(), jwtgate.HTTPRequest(r), subject)
		if err != nil {
			http.Error(w, "please try again later", http.StatusServiceUnavailable)
			return
		}
		cookies := tokens.Cookies()
		cookies.CopyHeader(w.Header())
		if cookies.Status != 0 { // the cookies are too large
			http.Error(w, "this account cannot sign in", cookies.Status)
			return
		}
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	}

	w := httptest.NewRecorder()
	callback(w, httptest.NewRequest(http.MethodGet, "/callback?code=1234", nil))
	fmt.Println(w.Code, w.Header().Get("Location"), w.Header().Get("Cache-Control"), len(w.Header()["Set-Cookie"]), "cookies")
	// Output: 303 /home no-store 2 cookies
}

// Pages of shop.example.org use the API of another site, www.example.com, with cookies. They
// call fetch with credentials: "include", and the server has middleware for CORS that allows
// this origin and credentials.
func ExampleCookieConfig_otherSites() {
	config := exampleConfig()
	config.Cookies = &jwtgate.CookieConfig{
		Name:           "shop",
		SameSite:       http.SameSiteNoneMode,
		TrustedOrigins: []string{"https://shop.example.org"},
	}
	printLoginCookies(config)
	// Output:
	// __Host-shop-at Domain="" SameSite=None Partitioned
	// __Host-shop-rt Domain="" SameSite=None Partitioned
}

// All hosts of example.com share a session: app.example.com, api.example.com. Every one of them
// must be trusted.
func ExampleCookieConfig_subdomains() {
	config := exampleConfig()
	config.Cookies = &jwtgate.CookieConfig{
		Domain:         "example.com",
		TrustedOrigins: []string{"https://app.example.com"}, // may also make state-changing requests to other hosts
	}
	printLoginCookies(config)
	// Output:
	// __Secure-at Domain="" SameSite=Lax
	// __Secure-rt Domain="" SameSite=Lax
	// __Secure-at Domain="example.com" SameSite=Lax
	// __Secure-rt Domain="example.com" SameSite=Lax
}

// printLoginCookies signs a browser in and prints the cookies that it gets.
func printLoginCookies(config jwtgate.Config) {
	auth, err := jwtgate.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()
	tokens, err := auth.SignIn(context.Background(), jwtgate.Request{}, "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, field := range tokens.Cookies().Header {
		cookie, err := http.ParseSetCookie(field.Value)
		if err != nil || field.Name != "Set-Cookie" {
			continue
		}
		fmt.Printf("%s Domain=%q SameSite=", cookie.Name, cookie.Domain)
		switch cookie.SameSite {
		case http.SameSiteNoneMode:
			fmt.Print("None")
		default:
			fmt.Print("Lax")
		}
		if cookie.Partitioned {
			fmt.Print(" Partitioned")
		}
		fmt.Println()
	}
}

// A visitor without a session who opens a page is redirected to the login page. A script
// that fetches data gets the refusal itself.
func ExampleConfig_loginPage() {
	config := exampleConfig()
	config.Refuse = func(_ context.Context, req jwtgate.Request, r *jwtgate.Refusal) jwtgate.Response {
		if r.Status != http.StatusUnauthorized || req.First("Sec-Fetch-Mode") != "navigate" || req.Method != http.MethodGet {
			return jwtgate.Response{} // without a status, so r.Response() is sent
		}
		return jwtgate.Response{
			Status: http.StatusSeeOther,
			Header: []jwtgate.Field{{Name: "Location", Value: "/login?next=" + url.QueryEscape(req.Path)}},
		}
	}
	auth, err := jwtgate.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	for _, mode := range []string{"navigate", "cors"} {
		d := auth.Decide(context.Background(), jwtgate.Request{
			Method: http.MethodGet,
			Path:   "/account",
			Host:   "www.example.com",
			Header: http.Header{"Sec-Fetch-Mode": {mode}},
		})
		fmt.Println(mode, d.Response.Status, d.Refusal.Code)
		for _, field := range d.Response.Header {
			fmt.Println(" ", field.Name+":", field.Value)
		}
	}
	// Output:
	// navigate 303 token_missing
	//   Location: /login?next=%2Faccount
	//   Cache-Control: no-store
	// cors 401 token_missing
	//   Content-Type: application/problem+json
	//   Cache-Control: no-store
	//   WWW-Authenticate: Bearer
}

// A payment requires a recent login: a session that was left open is not enough, and a
// refresh does not make the login recent.
func ExampleRecentLogin() {
	clock := jwtgatetest.NewClock(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	config := exampleConfig()
	config.Now = clock.Now
	auth, err := jwtgate.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close()

	tokens, err := auth.SignIn(context.Background(), jwtgate.Request{}, "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	pay := jwtgate.Request{
		Method: http.MethodPost,
		Path:   "/payments",
		Host:   "www.example.com",
		Header: http.Header{"Cookie": {"__Host-at=" + tokens.Access.Token + "; __Host-rt=" + tokens.Refresh}},
	}
	for _, minutes := range []time.Duration{1, 6} {
		clock.Advance(minutes * time.Minute)
		d := auth.Decide(context.Background(), pay, jwtgate.RecentLogin(5*time.Minute))
		if d.Refusal == nil {
			fmt.Println("paid by", d.Identity.Subject())
			continue
		}
		fmt.Println(d.Refusal.Status, d.Refusal.Code, d.Refusal.Challenge)
	}
	// Output:
	// paid by alice
	// 401 login_too_old Bearer error="insufficient_user_authentication", max_age="300"
}
