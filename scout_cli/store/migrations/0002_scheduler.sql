-- Schedules, the queue of executions, channels and the outbox.

ALTER TABLE scouts ADD COLUMN key TEXT;
ALTER TABLE scouts ADD COLUMN paused_reason TEXT;
ALTER TABLE scouts ADD COLUMN digest TEXT CHECK (digest IN ('daily', 'weekly'));
-- Slot 0 of a named rhythm: `daily` keeps its local time of day, for ever.
ALTER TABLE scouts ADD COLUMN anchor TIMESTAMPTZ;
-- The slot whose lateness its owner was told about.
ALTER TABLE scouts ADD COLUMN late_slot TIMESTAMPTZ;

UPDATE scouts SET anchor = created_at;

CREATE UNIQUE INDEX scouts_key ON scouts (user_id, key) WHERE key IS NOT NULL;
CREATE INDEX scouts_due ON scouts (next_run_at, id) WHERE is_active;

ALTER TABLE scout_executions ADD COLUMN state TEXT NOT NULL DEFAULT 'completed'
    CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled'));
-- The slot it runs for, null for a run that somebody asked for; missed slots since `covers_from`
-- are one run.
ALTER TABLE scout_executions ADD COLUMN slot_at TIMESTAMPTZ;
ALTER TABLE scout_executions ADD COLUMN covers_from TIMESTAMPTZ;
ALTER TABLE scout_executions ADD COLUMN run_after TIMESTAMPTZ;
ALTER TABLE scout_executions ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scout_executions ADD COLUMN crash_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scout_executions ADD COLUMN lease_owner TEXT;
ALTER TABLE scout_executions ADD COLUMN beats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scout_executions ADD COLUMN deadline_at TIMESTAMPTZ;

UPDATE scout_executions SET state = status;

CREATE UNIQUE INDEX scout_executions_slot ON scout_executions (scout_id, slot_at);
CREATE INDEX scout_executions_queue ON scout_executions (run_after, id) WHERE state = 'queued';
CREATE INDEX scout_executions_running ON scout_executions (lease_until) WHERE state = 'running';

-- What outside parts answered in an execution that has not ended: a restart asks them no second
-- time.
CREATE TABLE execution_answers (
    execution_id UUID NOT NULL REFERENCES scout_executions (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    part TEXT NOT NULL,
    key TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (execution_id, number)
);

CREATE INDEX execution_answers_of_user ON execution_answers (user_id);

-- When something was last done, such as a tick.
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    detail TEXT NOT NULL DEFAULT ''
);

CREATE TABLE channels (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    -- SHA-256 of the URL: an index entry of PostgreSQL holds at most 2704 bytes.
    url_key TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    reason TEXT NOT NULL DEFAULT '',
    failing_since TIMESTAMPTZ,
    beat_at TIMESTAMPTZ,
    served_at TIMESTAMPTZ,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (user_id, url_key)
);

CREATE TABLE notification_outbox (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_id UUID NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    scout_id UUID REFERENCES scouts (id) ON DELETE CASCADE,
    execution_id UUID REFERENCES scout_executions (id) ON DELETE SET NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('news', 'paused', 'late', 'heartbeat', 'channel_lost', 'test')),
    -- SHA-256 of what it is about and the channel: the same news is queued once.
    dedupe_key TEXT NOT NULL UNIQUE,
    -- Rows of one channel and batch travel as one message, whose key this is.
    batch TEXT NOT NULL,
    message JSONB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'sending', 'sent', 'dead', 'unknown', 'held')),
    attempt INTEGER NOT NULL DEFAULT 0,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    provider_id TEXT NOT NULL DEFAULT '',
    last_error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ
);

CREATE INDEX notification_outbox_due ON notification_outbox (next_attempt_at, channel_id)
    WHERE state IN ('pending', 'sending');
CREATE INDEX notification_outbox_batch ON notification_outbox (channel_id, batch);
CREATE INDEX notification_outbox_of_user ON notification_outbox (user_id, created_at, id);
CREATE INDEX notification_outbox_of_scout ON notification_outbox (scout_id);
CREATE INDEX notification_outbox_of_execution ON notification_outbox (execution_id);
