-- Times are milliseconds since 1970, by the clock of the database. Names and
-- labels are bytes, because they need not be UTF-8.

-- The version of the schema, and until when a process has the task of removing
-- old rows.
CREATE TABLE jwtgate_state (
	name  text   NOT NULL PRIMARY KEY,
	value bigint NOT NULL
);

-- A rotation changes no column of an index. With room for another version of a
-- row in each page, it then writes to no index either.
CREATE TABLE jwtgate_sessions (
	id          bytea    NOT NULL PRIMARY KEY,
	version     smallint NOT NULL, -- of the meaning of the columns
	revision    bigint   NOT NULL, -- counts the changes of the row
	owner       bytea    NOT NULL, -- SHA-256 of issuer, audience and subject
	issuer      bytea    NOT NULL,
	audience    bytea    NOT NULL,
	subject     bytea    NOT NULL,
	nonce_hash  bytea    NOT NULL,
	user_agent  bytea    NOT NULL,
	note        bigint   NOT NULL, -- a number of the caller
	generation  bigint   NOT NULL,
	parent      bigint   NOT NULL,
	late        smallint NOT NULL, -- 1: the parent was answered late, 2: the generation before was
	ended       smallint NOT NULL, -- 0: live, 1: signed out, 2: replayed
	created_at  bigint   NOT NULL,
	rotated_at  bigint   NOT NULL, -- 0: never
	used_at     bigint   NOT NULL, -- 0: never
	idle_at     bigint   NOT NULL, -- the session expires then, unless it is rotated before
	limit_at    bigint   NOT NULL, -- the session expires then
	due_at      bigint   NOT NULL  -- an ended row is removed then; a live one is looked at
) WITH (fillfactor = 80);

CREATE INDEX jwtgate_sessions_owner ON jwtgate_sessions (owner, ended, created_at, id);
CREATE INDEX jwtgate_sessions_due ON jwtgate_sessions (due_at);

CREATE TABLE jwtgate_revocations (
	seq         bigint   NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	xid         xid8     NOT NULL DEFAULT pg_current_xact_id(), -- the transaction that wrote the row
	version     smallint NOT NULL, -- of the meaning of the columns
	kind        text     NOT NULL, -- session, token, subject or renew
	session     bytea    NOT NULL,
	generation  bigint   NOT NULL,
	token       bytea    NOT NULL,
	issuer      bytea    NOT NULL,
	subject     bytea    NOT NULL,
	from_at     bigint   NOT NULL,
	until_at    bigint   NOT NULL, -- the row is removed some time after that
	written_at  bigint   NOT NULL
);

CREATE INDEX jwtgate_revocations_xid ON jwtgate_revocations (xid);
CREATE INDEX jwtgate_revocations_until ON jwtgate_revocations (until_at);

INSERT INTO jwtgate_state (name, value) VALUES ('version', 1), ('removal', 0);
