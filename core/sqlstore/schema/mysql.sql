-- Times are milliseconds since 1970, by the clock of the database. Names and
-- labels are bytes, because they need not be UTF-8. Every statement can be
-- repeated, because a migration is not a transaction here.

-- The version of the schema, and until when a process has the task of removing
-- old rows.
CREATE TABLE IF NOT EXISTS jwtgate_state (
	name  VARBINARY(16) NOT NULL PRIMARY KEY,
	value BIGINT        NOT NULL
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS jwtgate_sessions (
	id          BINARY(18)   NOT NULL PRIMARY KEY,
	version     SMALLINT     NOT NULL, -- of the meaning of the columns
	revision    BIGINT       NOT NULL, -- counts the changes of the row
	owner       BINARY(32)   NOT NULL, -- SHA-256 of issuer, audience and subject
	issuer      MEDIUMBLOB   NOT NULL,
	audience    MEDIUMBLOB   NOT NULL,
	subject     MEDIUMBLOB   NOT NULL,
	nonce_hash  BINARY(32)   NOT NULL,
	user_agent  MEDIUMBLOB   NOT NULL,
	note        INT UNSIGNED NOT NULL, -- a number of the caller
	generation  INT UNSIGNED NOT NULL,
	parent      INT UNSIGNED NOT NULL,
	late        SMALLINT     NOT NULL, -- 1: the parent was answered late, 2: the generation before was
	ended       SMALLINT     NOT NULL, -- 0: live, 1: signed out, 2: replayed
	created_at  BIGINT       NOT NULL,
	rotated_at  BIGINT       NOT NULL, -- 0: never
	used_at     BIGINT       NOT NULL, -- 0: never
	idle_at     BIGINT       NOT NULL, -- the session expires then, unless it is rotated before
	limit_at    BIGINT       NOT NULL, -- the session expires then
	due_at      BIGINT       NOT NULL, -- an ended row is removed then; a live one is looked at
	INDEX jwtgate_sessions_owner (owner, ended, created_at, id),
	INDEX jwtgate_sessions_due (due_at)
) ENGINE = InnoDB;

-- Each owner has one of these rows, which it shares with others. A transaction
-- locks it to count the sessions of the owner.
CREATE TABLE IF NOT EXISTS jwtgate_locks (
	n SMALLINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS jwtgate_revocations (
	seq         BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
	version     SMALLINT      NOT NULL, -- of the meaning of the columns
	kind        VARBINARY(16) NOT NULL, -- session, token, subject or renew
	session     BINARY(18)    NOT NULL,
	generation  INT UNSIGNED  NOT NULL,
	token       MEDIUMBLOB    NOT NULL,
	issuer      MEDIUMBLOB    NOT NULL,
	subject     MEDIUMBLOB    NOT NULL,
	from_at     BIGINT        NOT NULL,
	until_at    BIGINT        NOT NULL, -- the row is removed some time after that
	written_at  BIGINT        NOT NULL,
	INDEX jwtgate_revocations_until (until_at)
) ENGINE = InnoDB;

INSERT IGNORE INTO jwtgate_locks (n)
	WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 511)
	SELECT n FROM numbers;

INSERT IGNORE INTO jwtgate_state (name, value) VALUES ('version', 1), ('removal', 0);
