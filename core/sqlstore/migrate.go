package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// schemaVersion is the version of the schema that this version of the package uses.
const schemaVersion = 1

// Migrate creates the tables, or changes those of an earlier version of this package
// to its schema. Any number of processes can call Migrate at the same time. It
// changes nothing if the tables are those of this version, or of a later one, which
// is the case while processes of both versions run.
func (s *Store) Migrate(ctx context.Context) error {
	return failed(ctx, "migrate", s.dialect.migrate(ctx, s, func(q queryer) error {
		version, err := s.version(ctx, q)
		if err != nil || version >= schemaVersion {
			return err
		}
		for statement := range strings.SplitSeq(s.Schema(), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := q.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Schema returns the statements by which [Store.Migrate] creates the tables, for
// other tools for migrations. They end with a semicolon at the end of a line.
func (s *Store) Schema() string {
	return strings.ReplaceAll(s.dialect.schema(), defaultPrefix, s.config.Prefix)
}

// Check checks that the database can be reached and has the tables of this version.
// For each setting that can lose sessions or revocations, it writes a warning to
// [Config].Logger.
func (s *Store) Check(ctx context.Context) error {
	version, err := s.version(ctx, s.db)
	if err == nil && version < schemaVersion {
		err = fmt.Errorf("the tables %s* have version %d, and this version of package sqlstore needs %d: call Migrate, or create the tables of Schema", s.config.Prefix, version, schemaVersion)
	}
	if err != nil {
		return failed(ctx, "check", err)
	}
	return failed(ctx, "check", s.dialect.check(ctx, s.db, func(message, setting, value string) {
		s.config.Logger.WarnContext(ctx, message, "setting", setting, "value", value)
	}))
}

// version returns the version of the tables, or 0 if there are none.
func (s *Store) version(ctx context.Context, q queryer) (int, error) {
	var exists, version int
	err := q.QueryRowContext(ctx, s.dialect.parameters(s.dialect.hasTable()), s.config.Prefix+"state").Scan(&exists)
	if err != nil || exists == 0 {
		return 0, err
	}
	err = q.QueryRowContext(ctx, s.text("SELECT value FROM jwtgate_state WHERE name = 'version'")).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) { // a migration that is not a transaction was interrupted
		return 0, nil
	}
	return version, err
}
