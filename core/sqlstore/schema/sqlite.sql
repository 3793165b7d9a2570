-- Times are milliseconds since 1970, by the clock of the database. Names and
-- labels are bytes, because they need not be UTF-8.

-- The version of the schema, and until when a process has the task of removing
-- old rows.
CREATE TABLE jwtgate_state (
	name  TEXT    NOT NULL PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE jwtgate_sessions (
	id          BLOB    NOT NULL PRIMARY KEY,
	version     INTEGER NOT NULL, -- of the meaning of the columns
	revision    INTEGER NOT NULL, -- counts the changes of the row
	owner       BLOB    NOT NULL, -- SHA-256 of issuer, audience and subject
	issuer      BLOB    NOT NULL,
	audience    BLOB    NOT NULL,
	subject     BLOB    NOT NULL,
	nonce_hash  BLOB    NOT NULL,
	user_agent  BLOB    NOT NULL,
	note        INTEGER NOT NULL, -- a number of the caller
	generation  INTEGER NOT NULL,
	parent      INTEGER NOT NULL,
	late        INTEGER NOT NULL, -- 1: the parent was answered late, 2: the generation before was
	ended       INTEGER NOT NULL, -- 0: live, 1: signed out, 2: replayed
	created_at  INTEGER NOT NULL,
	rotated_at  INTEGER NOT NULL, -- 0: never
	used_at     INTEGER NOT NULL, -- 0: never
	idle_at     INTEGER NOT NULL, -- the session expires then, unless it is rotated before
	limit_at    INTEGER NOT NULL, -- the session expires then
	due_at      INTEGER NOT NULL  -- an ended row is removed then; a live one is looked at
) WITHOUT ROWID;

CREATE INDEX jwtgate_sessions_owner ON jwtgate_sessions (owner, ended, created_at, id);
CREATE INDEX jwtgate_sessions_due ON jwtgate_sessions (due_at);

CREATE TABLE jwtgate_revocations (
	seq         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	version     INTEGER NOT NULL, -- of the meaning of the columns
	kind        TEXT    NOT NULL, -- session, token, subject or renew
	session     BLOB    NOT NULL,
	generation  INTEGER NOT NULL,
	token       BLOB    NOT NULL,
	issuer      BLOB    NOT NULL,
	subject     BLOB    NOT NULL,
	from_at     INTEGER NOT NULL,
	until_at    INTEGER NOT NULL, -- the row is removed some time after that
	written_at  INTEGER NOT NULL
);

CREATE INDEX jwtgate_revocations_until ON jwtgate_revocations (until_at);

INSERT INTO jwtgate_state (name, value) VALUES ('version', 1), ('removal', 0);
