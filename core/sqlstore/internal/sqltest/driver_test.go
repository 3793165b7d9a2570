package sqltest

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"time"
)

// A tampered connection is one whose statements a test changes or refuses, or whose
// answers it loses.
type tampered struct {
	driver.Conn
	tamper *tamper
	cut    bool // an answer was lost: the connection does not work any more
}

// A tamper says what happens to the statements of a database.
type tamper struct {
	rewrite func(statement string) string
	lose    func(statement string) bool // reports whether to lose the answer to a statement that was executed, and its connection

	// refuse returns the error of a step that fails before it reaches the database. A step
	// is a statement, BEGIN, COMMIT, or PREPARE, EXECUTE, FETCH or END with a statement:
	// END is the end of the rows.
	refuse func(step string) error
	damage bool // a FETCH fails because of a value of another type
}

func (t *tamper) refused(step string) error {
	if t.refuse == nil {
		return nil
	}
	return t.refuse(step)
}

// open returns a database that is like db, but tampered with.
func (t *tamper) open(db *sql.DB, source string) *sql.DB {
	return sql.OpenDB(tamperedConnector{t, db.Driver(), source})
}

func (t *tamper) text(statement string) string {
	if t.rewrite != nil {
		return t.rewrite(statement)
	}
	return statement
}

type tamperedConnector struct {
	tamper *tamper
	driver driver.Driver
	source string
}

func (c tamperedConnector) Driver() driver.Driver { return c.driver }

func (c tamperedConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.source)
	if err != nil {
		return nil, err
	}
	return &tampered{Conn: conn, tamper: c.tamper}, nil
}

// answered returns err, or another error if the answer to the statement is lost.
func (c *tampered) answered(statement string, err error) error {
	if err == nil && c.tamper.lose != nil && c.tamper.lose(statement) {
		c.cut = true
		return io.ErrUnexpectedEOF
	}
	return err
}

// IsValid implements [driver.Validator], so that database/sql closes the connection.
func (c *tampered) IsValid() bool { return !c.cut }

func (c *tampered) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	if c.cut {
		return nil, io.ErrUnexpectedEOF
	}
	if err := c.tamper.refused(statement); err != nil {
		return nil, err
	}
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, c.tamper.text(statement), args)
	return result, c.answered(statement, err)
}

func (c *tampered) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.tamper.refused(statement); err != nil {
		return nil, err
	}
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, c.tamper.text(statement), args)
	return c.tamper.rows(statement, rows, err)
}

func (c *tampered) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	if err := c.tamper.refused("PREPARE " + statement); err != nil {
		return nil, err
	}
	stmt, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, c.tamper.text(statement))
	if err != nil {
		return nil, err
	}
	return &tamperedStmt{stmt, c, statement}, nil
}

func (c *tampered) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.tamper.refused("BEGIN"); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return tamperedTx{tx, c}, err
}

func (c *tampered) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

type tamperedStmt struct {
	driver.Stmt
	conn      *tampered
	statement string
}

func (s *tamperedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.conn.tamper.refused("EXECUTE " + s.statement); err != nil {
		return nil, err
	}
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return result, s.conn.answered(s.statement, err)
}

func (s *tamperedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.conn.tamper.refused("EXECUTE " + s.statement); err != nil {
		return nil, err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	return s.conn.tamper.rows(s.statement, rows, err)
}

func (s *tamperedStmt) CheckNamedValue(value *driver.NamedValue) error {
	return s.conn.CheckNamedValue(value)
}

type tamperedTx struct {
	driver.Tx
	conn *tampered
}

func (t tamperedTx) Commit() error {
	if err := t.conn.tamper.refused("COMMIT"); err != nil {
		return errors.Join(err, t.Tx.Rollback())
	}
	return t.conn.answered("COMMIT", t.Tx.Commit())
}

type tamperedRows struct {
	driver.Rows
	tamper    *tamper
	statement string
	fetched   int
}

// rows returns the rows of a statement, if it has no error.
func (t *tamper) rows(statement string, rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil || t.refuse == nil {
		return rows, err
	}
	return &tamperedRows{rows, t, statement, 0}, nil
}

func (r *tamperedRows) Next(values []driver.Value) error {
	err := r.Rows.Next(values)
	if errors.Is(err, io.EOF) {
		return cmp.Or(r.tamper.refused("END "+r.statement), err)
	}
	number := slices.IndexFunc(values, func(v driver.Value) bool { _, ok := v.(int64); return ok })
	r.fetched++
	if err != nil || r.fetched > 2 || r.tamper.damage && number < 0 { // further rows are like the second
		return err
	}
	refused := r.tamper.refused("FETCH " + r.statement)
	if refused != nil && r.tamper.damage {
		values[number], refused = time.Time{}, nil
	}
	return refused
}
