package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"log/slog"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

var (
	signingSecret = []byte("a secret of at least 32 bytes, from the environment")
	refreshSecret = []byte("another secret of at least 32 bytes, the same after every start")
)

func loadUser(_ context.Context, subject string) (jwtgate.Grant, error) {
	if subject != "alice" {
		return jwtgate.Grant{}, jwtgate.ErrNoSubject
	}
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}

func ExampleSQLite() {
	// The program imports the driver: _ "modernc.org/sqlite"
	db, err := sql.Open("sqlite", "file:sessions.db?_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.SQLite(db, sqlstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(signingSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject: loadUser,
			Store:   store,
			Keys:    [][]byte{refreshSecret},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()
}

func ExamplePostgres() {
	// The program imports the driver: _ "github.com/jackc/pgx/v5/stdlib". If it has a
	// pool of pgx, db is stdlib.OpenDBFromPool(pool).
	db, err := sql.Open("pgx", "postgres://app@localhost/app")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.Postgres(db, sqlstore.Config{
		Prefix: "auth_", // the tables are auth_sessions, auth_revocations and auth_state
		Logger: slog.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	// Another tool has created the tables of store.Schema().
	if err := store.Check(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func ExampleMySQL() {
	// The program imports the driver: _ "github.com/go-sql-driver/mysql"
	db, err := sql.Open("mysql", "app:password@tcp(localhost:3306)/app?interpolateParams=true")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.MySQL(db, sqlstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Feed calls this about once a minute. A program without a feed can do it itself.
	if err := store.RemoveExpired(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func ExampleStore_Schema() {
	var db *sql.DB // of sql.Open
	store, err := sqlstore.Postgres(db, sqlstore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(store.Schema()) // a migration of your own tool
	// Output: sqlstore: db is nil: pass the result of sql.Open
}
