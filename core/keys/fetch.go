package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxDocument  = 512 << 10 // bytes of a JWK Set or a metadata document
	maxRedirects = 3
	maxURL       = 2048 // bytes of an address, because addresses are logged
)

var (
	errScheme    = errors.New("is not an https URL (http is allowed for this machine, and for others with InsecureHTTP)")
	errURLParts  = errors.New("has user information or a fragment, which the address of keys must not have")
	errURLLength = fmt.Errorf("is over %d bytes", maxURL)
	errRedirect  = errors.New("keys: redirected to another host, to another scheme or too often")
	errTooLarge  = fmt.Errorf("keys: the document is over %d bytes", maxDocument)
	errNoAnswer  = errors.New("keys: no complete answer before Timeout")
	errNotStatus = errors.New("keys: the status is not 200")
)

// parseURL parses address and checks that keys may be fetched from it. Over plain
// HTTP, an attacker on the network path could replace the keys, so other machines can
// be reached that way only if insecure is set.
func parseURL(address string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case len(address) > maxURL:
		return nil, errURLLength
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && !isLoopback(u) && (u.Scheme != "http" || !insecure):
		return nil, errScheme
	case u.User != nil || strings.Contains(address, "#"):
		return nil, errURLParts
	}
	return u, nil
}

// isLoopback reports whether u is plain HTTP to this machine.
func isLoopback(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// newTransport returns the default transport. Fetches are too rare to keep a
// connection open between them.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// A fetcher fetches documents. It sends no cookies. It follows redirects only within
// one origin, because other origins are not configured.
type fetcher struct{ client http.Client }

func newFetcher(transport http.RoundTripper) *fetcher {
	return &fetcher{http.Client{
		Transport: transport,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if first := via[0].URL; len(via) > maxRedirects || req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
				return errRedirect
			}
			return nil
		},
	}}
}

// get returns the document at address, and how long it may be kept (RFC 9111
// §5.2.2), which is negative if the answer does not say.
func (f *fetcher) get(ctx context.Context, address, accept string) (text string, fresh time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", 0, reason(err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "jwtgate")
	res, err := f.client.Do(req)
	if err != nil {
		return "", 0, reason(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%w: %d", errNotStatus, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil {
		return "", 0, reason(err)
	}
	if len(body) > maxDocument {
		return "", 0, errTooLarge
	}
	return string(body), freshness(res.Header), nil
}

// reason returns err in a form for logs: short, on one line, and without the address.
// The caller adds the configured address; the one in err may come from a redirect.
func reason(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, errRedirect):
		return errRedirect
	case errors.Is(err, context.DeadlineExceeded):
		return errNoAnswer
	}
	const longest = 200
	// The text can contain names from a certificate that is not trusted.
	text := strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, err.Error())
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return errors.New("keys: " + text)
}

// freshness returns how long a document with header may be kept, which is
// negative if header does not say.
func freshness(header http.Header) time.Duration {
	fresh := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			// RFC 9111 §1.2.2: a value that is too large counts as 2³¹.
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return 0 // RFC 9111 §4.2.1: an unreadable value counts as stale
			}
			fresh = time.Duration(seconds) * time.Second
		}
	}
	if age, err := strconv.ParseUint(header.Get("Age"), 10, 31); err == nil && fresh > 0 {
		fresh = max(0, fresh-time.Duration(age)*time.Second)
	}
	return fresh
}
