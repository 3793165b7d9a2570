package main

// tests has the folders whose code is mutated, and for each the packages whose tests
// should find its mutants, in the order in which they run: the quick ones first. After
// a package, there can be a pattern for the tests that run.
var tests = map[string][]string{
	"core":                           {"./core", "./nethttp", "./fiberjwt", "./core/cmd/jwtgate"},
	"core/browser":                   {"./core/browser"},
	"core/cmd/jwtgate":               {"./core/cmd/jwtgate"},
	"core/internal/clone":            {"./core/internal/clone", "./core"},
	"core/internal/etag":             {"./core/browser", "./core"},
	"core/internal/jose":             {"./core/internal/jose", "./core"},
	"core/internal/keyaccess":        {"./core/keys", "./core"},
	"core/internal/refreshtoken":     {"./core/internal/refreshtoken", "./core"},
	"core/internal/wanted":           {"./core", "./core/cmd/jwtgate"},
	"core/keys":                      {"./core/keys", "./core"},
	"core/redisstore":                {"./core/redisstore"},
	"core/session":                   {"./core/session", "./core"},
	"core/sqlstore":                  {"./core/sqlstore", "./core/sqlstore/internal/sqltest /sqlite", "./core/sqlstore/internal/sqltest"},
	"core/sqlstore/internal/sqltest": {"./core/sqlstore/internal/sqltest"},
	"core/telemetry":                 {"./core/telemetry"},
	"echojwt":                        {"./echojwt"},
	"echojwt/echo5":                  {"./echojwt/echo5"},
	"fiberjwt":                       {"./fiberjwt"},
	"fiberjwt/fiber3":                {"./fiberjwt/fiber3"},
	"ginjwt":                         {"./ginjwt"},
	"nethttp":                        {"./nethttp"},
	"nethttp/jwtclient":              {"./nethttp/jwtclient"},
}
