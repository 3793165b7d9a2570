package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// nowhere is a database that cannot be reached.
type nowhere struct{}

func (nowhere) Connect(context.Context) (driver.Conn, error) { return nil, errors.New("no server") }
func (nowhere) Driver() driver.Driver                        { return nil }

var constructors = map[string]func(*sql.DB, sqlstore.Config) (*sqlstore.Store, error){
	"sqlite": sqlstore.SQLite, "postgres": sqlstore.Postgres, "mysql": sqlstore.MySQL,
}

func TestMistakes(t *testing.T) {
	db := sql.OpenDB(nowhere{})
	for _, row := range []struct {
		name   string
		db     *sql.DB
		config sqlstore.Config
		want   []string // the beginnings of the lines; none if there is no error
	}{
		{"defaults", db, sqlstore.Config{}, nil},
		{"all set", db, sqlstore.Config{Prefix: "my_2nd_app_", PollInterval: 500 * time.Millisecond}, nil},
		{"no database", nil, sqlstore.Config{}, []string{"sqlstore: db is nil"}},
		{"quote", db, sqlstore.Config{Prefix: `a"b`}, []string{"sqlstore: Config.Prefix is"}},
		{"upper case", db, sqlstore.Config{Prefix: "App_"}, []string{"sqlstore: Config.Prefix is"}},
		{"digit first", db, sqlstore.Config{Prefix: "1_"}, []string{"sqlstore: Config.Prefix is"}},
		{"long", db, sqlstore.Config{Prefix: strings.Repeat("a", 33)}, []string{"sqlstore: Config.Prefix is"}},
		{"too seldom", db, sqlstore.Config{PollInterval: time.Second}, []string{"sqlstore: Config.PollInterval is 1s"}},
		{"negative", db, sqlstore.Config{PollInterval: -1}, []string{"sqlstore: Config.PollInterval is"}},
		{"everything", nil, sqlstore.Config{Prefix: "-", PollInterval: -1}, []string{"sqlstore: db", "sqlstore: Config.Prefix", "sqlstore: Config.PollInterval"}},
	} {
		for name, constructor := range constructors {
			_, err := constructor(row.db, row.config)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			ok := len(got) == len(row.want)
			for i := range got {
				ok = ok && strings.HasPrefix(got[i], row.want[i])
			}
			if !ok {
				t.Errorf("%s, %s: got %q; want %q", row.name, name, got, row.want)
			}
		}
	}
}

// TestSchemaPrefix checks that all names in the schema begin with the prefix.
func TestSchemaPrefix(t *testing.T) {
	for name, constructor := range constructors {
		store, err := constructor(sql.OpenDB(nowhere{}), sqlstore.Config{Prefix: "app_"})
		if err != nil {
			t.Fatal(err)
		}
		schema := store.Schema()
		if strings.Contains(schema, "jwtgate") || !strings.Contains(schema, " app_sessions (") || !strings.HasSuffix(schema, ";\n") {
			t.Errorf("%s: got the schema\n%s\nwant all names with the prefix app_", name, schema)
		}
	}
}

// TestUnreachable checks that methods return the error of the driver.
func TestUnreachable(t *testing.T) {
	for name, constructor := range constructors {
		store, err := constructor(sql.OpenDB(nowhere{}), sqlstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for step, err := range map[string]error{
			"Migrate":       store.Migrate(t.Context()),
			"Check":         store.Check(t.Context()),
			"RemoveExpired": store.RemoveExpired(t.Context()),
			"Feed":          store.Feed(t.Context(), nil, nil),
		} {
			if err == nil || !strings.Contains(err.Error(), "no server") || !strings.HasPrefix(err.Error(), "sqlstore: ") {
				t.Errorf("%s, %s: got error %v; want the one of the driver", name, step, err)
			}
		}
	}
}
