package jwtgate_test

import (
	"strconv"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	for _, row := range []row{
		{"exp a second ahead", claims("exp", at(1)), accepted},
		{"exp a fraction, rounded down", claims("exp", at(1)+".9"), accepted},
		{"exp as an exponent", claims("exp", "1.8000009e9"), accepted},
		{"exp now (RFC 7519 §4.1.4: on or after)", claims("exp", at(0)), jwtgate.CodeTokenExpired},
		{"exp now and a fraction", claims("exp", at(0)+".9"), jwtgate.CodeTokenExpired},
		{"exp a second ago", claims("exp", at(-1)), jwtgate.CodeTokenExpired},
		{"exp long ago", claims("exp", "1"), jwtgate.CodeTokenExpired},
		{"exp absent", claims("exp", ""), jwtgate.CodeTokenInvalid},
		{"exp null", claims("exp", "null"), jwtgate.CodeTokenInvalid},
		{"exp a string", claims("exp", strconv.Quote(at(900))), jwtgate.CodeTokenInvalid},
		{"exp true", claims("exp", "true"), jwtgate.CodeTokenInvalid},
		{"exp an array", claims("exp", "["+at(900)+"]"), jwtgate.CodeTokenInvalid},
		{"exp an object", claims("exp", "{}"), jwtgate.CodeTokenInvalid},
		{"exp zero", claims("exp", "0"), jwtgate.CodeTokenInvalid},
		{"exp negative", claims("exp", "-1"), jwtgate.CodeTokenInvalid},
		{"exp hugely negative", claims("exp", "-1e300"), jwtgate.CodeTokenInvalid},
		{"exp 1e300", claims("exp", "1e300"), jwtgate.CodeTokenInvalid},
		{"exp beyond an int64", claims("exp", "9.3e18"), jwtgate.CodeTokenInvalid},
		{"exp 9e18", claims("exp", "9000000000000000000"), jwtgate.CodeTokenInvalid},
		{"exp 1e18", claims("exp", "1e18"), jwtgate.CodeTokenInvalid},
		{"exp the largest int64", claims("exp", "9223372036854775807"), jwtgate.CodeTokenInvalid},
		{"exp NaN", claims("exp", "NaN"), jwtgate.CodeTokenInvalid},
		{"exp Infinity", claims("exp", "Infinity"), jwtgate.CodeTokenInvalid},
		{"exp in milliseconds", claims("exp", at(900)+"000"), jwtgate.CodeTokenInvalid},

		{"a lifetime of a day", claims("exp", at(86400)), accepted},
		{"a lifetime of a day and a second", claims("exp", at(86401)), jwtgate.CodeTokenInvalid},
		{"a lifetime of a day from iat", claims("iat", at(-86399), "exp", at(1)), accepted},
		{"a lifetime of a day and a second from iat", claims("iat", at(-86400), "exp", at(1)), jwtgate.CodeTokenInvalid},
		{"a lifetime of more than a day, over", claims("iat", at(-86402), "exp", at(-1)), jwtgate.CodeTokenInvalid},
		{"a lifetime of a day from iat ahead", claims("iat", at(1), "exp", at(86401)), accepted},

		{"nbf now", claims("nbf", at(0)), accepted},
		{"nbf a minute ahead", claims("nbf", at(60)), accepted},
		{"nbf a minute and a second ahead", claims("nbf", at(61)), jwtgate.CodeTokenInvalid},
		{"nbf a string", claims("nbf", strconv.Quote(at(-1))), jwtgate.CodeTokenInvalid},
		{"nbf null", claims("nbf", "null"), accepted},
		{"nbf negative", claims("nbf", "-62135596800"), accepted},
		{"nbf beyond every date", claims("nbf", "1e300"), jwtgate.CodeTokenInvalid},
		{"nbf after exp", claims("nbf", at(1), "exp", at(1)), jwtgate.CodeTokenInvalid},
		{"nbf after exp, both over", claims("nbf", at(-1), "exp", at(-2)), jwtgate.CodeTokenInvalid},
		{"iat now", claims("iat", at(0)), accepted},
		{"iat a minute ahead", claims("iat", at(60)), accepted},
		{"iat a minute and a second ahead", claims("iat", at(61)), jwtgate.CodeTokenInvalid},
		{"iat a fraction", claims("iat", at(-1)+".25"), accepted},
		{"iat a string", claims("iat", strconv.Quote(at(-1))), accepted},
		{"iat a string, and a lifetime of more than a day", claims("iat", strconv.Quote(at(-1)), "exp", at(86401)), jwtgate.CodeTokenInvalid},
		{"iat null", claims("iat", "null"), accepted},
		{"iat beyond every date", claims("iat", "1e300"), jwtgate.CodeTokenInvalid},
		{"iat after exp", claims("iat", at(1), "exp", at(1)), jwtgate.CodeTokenInvalid},
		{"iat after exp, both over", claims("iat", at(-1), "exp", at(-2)), jwtgate.CodeTokenInvalid},
		{"auth_time a string", claims("auth_time", `"1"`), accepted},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

func TestLeeway(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.Leeway = 30 * time.Second
		c.ClockSkew = 10 * time.Second
		c.MaxLifetime = time.Hour
	})
	for _, row := range []row{
		{"exp 29 seconds ago", claims("exp", at(-29)), accepted},
		{"exp 30 seconds ago", claims("exp", at(-30)), jwtgate.CodeTokenExpired},
		{"nbf 10 seconds ahead", claims("nbf", at(10)), accepted},
		{"nbf 11 seconds ahead", claims("nbf", at(11)), jwtgate.CodeTokenInvalid},
		{"iat 10 seconds ahead", claims("iat", at(10)), accepted},
		{"iat 11 seconds ahead", claims("iat", at(11)), jwtgate.CodeTokenInvalid},
		{"a lifetime of an hour", claims("exp", at(3600)), accepted},
		{"a lifetime of an hour and a second", claims("exp", at(3601)), jwtgate.CodeTokenInvalid},
		{"a lifetime of an hour from iat", claims("iat", at(10), "exp", at(3610)), accepted},
		{"exp the largest int64", claims("exp", "9223372036854775807"), jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

// The clock may be set forward and back between two requests.
func TestVerifyClockSteps(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 999_999_999))
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Now = clock.Now })
	token := jwtgatetest.Token(t, auth, "alice")
	for _, step := range []struct {
		by   time.Duration
		want jwtgate.Code
	}{
		{0, accepted},
		{-time.Hour, jwtgate.CodeTokenInvalid}, // not issued yet
		{time.Hour, accepted},
		{time.Hour, jwtgate.CodeTokenExpired},
		{-time.Hour, accepted},
	} {
		clock.Advance(step.by)
		decide(t, auth, withBearer(token), step.want)
	}
}
