package jwtclient

import (
	"iter"
	"net/http"
	"strings"
)

// refusesToken reports whether res is a 401 response because of the access token,
// so that the request can succeed with a new one. That is so if its Bearer
// challenges have the error invalid_token (RFC 6750 §3.1) and no other error. With
// insufficient_user_authentication (RFC 9470), for example, the user has to sign in
// again, and a new token does not help.
func refusesToken(res *http.Response) bool {
	if res.StatusCode != http.StatusUnauthorized {
		return false
	}
	found := false
	for _, line := range res.Header.Values("WWW-Authenticate") {
		for name, value := range bearerParameters(line) {
			if strings.EqualFold(name, "error") {
				if value != "invalid_token" {
					return false
				}
				found = true
			}
		}
	}
	return found
}

// bearerParameters yields the parameters of the Bearer challenges in a line of
// WWW-Authenticate, up to the first syntax error. Commas separate the challenges as
// well as the parameters of a challenge (RFC 9110 §11.6.1).
func bearerParameters(line string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		bearer := false
		for {
			word, rest := cutToken(strings.TrimLeft(line, ", \t"))
			if word == "" {
				return
			}
			value, isParameter := strings.CutPrefix(trimSpace(rest), "=")
			if !isParameter {
				bearer = strings.EqualFold(word, "Bearer")
				line = skipToken68(rest)
				continue
			}
			value, line = cutValue(trimSpace(value))
			if value == "" || bearer && !yield(word, value) {
				return
			}
		}
	}
}

func trimSpace(text string) string { return strings.TrimLeft(text, " \t") }

// cutToken cuts a token (RFC 9110 §5.6.2) off the front of text.
func cutToken(text string) (token, rest string) {
	end := strings.IndexFunc(text, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

// cutValue cuts a token or a quoted string (RFC 9110 §5.6.4) off the front of text,
// and returns the value without quotes and backslashes. An empty value is a syntax
// error.
func cutValue(text string) (value, rest string) {
	if !strings.HasPrefix(text, `"`) {
		return cutToken(text)
	}
	var unquoted strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return unquoted.String(), text[i+1:]
		case '\\':
			if i++; i == len(text) {
				return "", ""
			}
		}
		unquoted.WriteByte(text[i])
	}
	return "", ""
}

// skipToken68 cuts a token68 (RFC 9110 §11.2) off the front of text, if there is
// one. Schemes such as Negotiate have it in place of parameters.
func skipToken68(text string) string {
	rest := trimSpace(text)
	rest = strings.TrimLeft(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")
	rest = trimSpace(strings.TrimLeft(rest, "="))
	if rest == "" || rest[0] == ',' {
		return rest
	}
	return text
}
