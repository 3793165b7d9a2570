package sqlstore

import (
	"context"
	"database/sql"
)

// A prepared is the database as a queryer that prepares each statement once for
// each connection. It is for the steps that are executed most often, each of which
// is a transaction by itself.
type prepared struct {
	*sql.DB // for queries of several rows, which are not prepared
	s       *Store
}

// statement returns the prepared statement with the given text.
func (p prepared) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := p.s.ready.Load(text); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := p.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if first, raced := p.s.ready.LoadOrStore(text, stmt); raced {
		_ = stmt.Close()
		return first.(*sql.Stmt), nil
	}
	return stmt, nil
}

func (p prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (p prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := p.statement(ctx, query)
	if err != nil {
		return p.DB.QueryRowContext(ctx, query, args...) // which reports the error
	}
	return stmt.QueryRowContext(ctx, args...)
}
