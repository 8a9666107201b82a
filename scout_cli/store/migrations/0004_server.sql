-- Accounts, their sessions and tokens, and what a server keeps beside them.

ALTER TABLE users ADD COLUMN password_hash TEXT;
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin'));
ALTER TABLE users ADD COLUMN user_metadata JSONB NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN email_confirmed_at TIMESTAMPTZ;
ALTER TABLE users ADD COLUMN last_sign_in_at TIMESTAMPTZ;
ALTER TABLE users ADD COLUMN disabled_at TIMESTAMPTZ;
ALTER TABLE users ADD COLUMN updated_at TIMESTAMPTZ;

-- A refresh token names a session and a count, signed; only the newest count is valid.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    count INTEGER NOT NULL DEFAULT 0,
    counted_at TIMESTAMPTZ NOT NULL,
    method TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Keys that a person makes for programs, and for feeds; only their SHA-256 is kept.
CREATE TABLE tokens (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'feed')),
    name TEXT NOT NULL,
    scopes JSONB NOT NULL,
    scout_id UUID REFERENCES scouts (id) ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    used_at TIMESTAMPTZ
);

CREATE INDEX tokens_of_user ON tokens (user_id, created_at);
CREATE INDEX tokens_of_scout ON tokens (scout_id);

-- What is good for one use: a confirmation, a recovery, an authorisation code.
CREATE TABLE codes (
    hash TEXT PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('confirm', 'recover', 'authorise')),
    challenge TEXT NOT NULL DEFAULT '',
    redirect_to TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);

CREATE INDEX codes_of_user ON codes (user_id);
CREATE INDEX codes_by_end ON codes (expires_at);

-- How much of an allowance is left, for all processes together.
CREATE TABLE allowances (
    name TEXT PRIMARY KEY,
    left_over DOUBLE PRECISION NOT NULL,
    counted_at TIMESTAMPTZ NOT NULL,
    full_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX allowances_by_end ON allowances (full_at);

-- What was answered to a request that may come a second time.
CREATE TABLE idempotency_keys (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL DEFAULT 0,
    answer TEXT NOT NULL DEFAULT '',
    headers JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Who did what. `hash` covers the line and the hash before it.
CREATE TABLE audit_log (
    number BIGINT PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    user_id UUID,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT 'done',
    address TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    hash TEXT NOT NULL
);

CREATE INDEX audit_log_of_user ON audit_log (user_id, number);
CREATE INDEX audit_log_by_age ON audit_log (at);

-- What the agent said, in its order, for those who watch from another process.
CREATE TABLE execution_events (
    execution_id UUID NOT NULL REFERENCES scout_executions (id) ON DELETE CASCADE,
    fence INTEGER NOT NULL,
    number INTEGER NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    data JSONB NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    -- The last of those that were committed together: one change tells of all of them.
    is_last BOOLEAN NOT NULL DEFAULT true,
    PRIMARY KEY (execution_id, fence, number)
);

CREATE INDEX execution_events_of_user ON execution_events (user_id);

-- Items that the chat gateway has answered, by the id that a client may send back.
CREATE TABLE chat_items (
    id TEXT PRIMARY KEY,
    item JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX chat_items_by_age ON chat_items (created_at);

-- The runs of the last hours, for whoever watches over a server; and the oldest, for cleaning up.
CREATE INDEX scout_executions_by_start ON scout_executions (started_at);
