-- One text for SQLite and PostgreSQL. In SQLite these type names only set the affinity, so a JSONB
-- column must hold an object or an array, never a bare number. Identifiers and times are made by
-- the program, so there are no defaults for them.

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT UNIQUE,
    is_local BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX users_one_local ON users (is_local) WHERE is_local;

CREATE TABLE user_preferences (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    location JSONB,
    firecrawl_api_key TEXT,
    firecrawl_custom_api_key TEXT,
    firecrawl_key_status TEXT DEFAULT 'pending'
        CHECK (firecrawl_key_status IN ('pending', 'active', 'fallback', 'failed', 'invalid')),
    firecrawl_key_created_at TIMESTAMPTZ,
    firecrawl_key_error TEXT,
    last_test_email_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE scouts (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    description TEXT,
    goal TEXT,
    search_queries JSONB NOT NULL DEFAULT '[]',
    location JSONB,
    frequency TEXT CHECK (frequency IN ('daily', 'every_3_days', 'weekly')),
    is_active BOOLEAN NOT NULL DEFAULT FALSE,
    last_run_at TIMESTAMPTZ,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,

    schedule TEXT NOT NULL DEFAULT 'daily',
    timezone TEXT NOT NULL DEFAULT 'UTC',
    language TEXT,
    urls JSONB NOT NULL DEFAULT '[]',
    feeds JSONB NOT NULL DEFAULT '[]',
    include_domains JSONB NOT NULL DEFAULT '[]',
    exclude_domains JSONB NOT NULL DEFAULT '[]',
    notify JSONB NOT NULL DEFAULT '[]',
    next_run_at TIMESTAMPTZ,
    planned_queries JSONB NOT NULL DEFAULT '[]',
    planned_for TEXT
);

CREATE INDEX scouts_of_user ON scouts (user_id, created_at);

CREATE TABLE scout_messages (
    id UUID PRIMARY KEY,
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX scout_messages_of_scout ON scout_messages (scout_id, created_at);
CREATE INDEX scout_messages_of_user ON scout_messages (user_id);

CREATE TABLE scout_executions (
    id UUID PRIMARY KEY,
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    error_message TEXT,
    results_summary JSONB,
    summary_text TEXT,
    -- The web interface names it; scout keeps its vectors in `embeddings`, so this stays null.
    summary_embedding TEXT CHECK (summary_embedding IS NULL),
    created_at TIMESTAMPTZ NOT NULL,

    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    "trigger" TEXT NOT NULL DEFAULT 'manual',
    outcome TEXT
        CHECK (outcome IN ('new', 'nothing_new', 'degraded', 'could_not_look', 'failed')),
    error_class TEXT,
    fence INTEGER NOT NULL DEFAULT 1,
    lease_until TIMESTAMPTZ,
    model TEXT,
    embedder TEXT,
    usage JSONB,
    counts JSONB,
    problems JSONB NOT NULL DEFAULT '[]',
    prompts TEXT
);

CREATE UNIQUE INDEX scout_executions_one_running ON scout_executions (scout_id)
    WHERE status = 'running';
CREATE INDEX scout_executions_of_scout ON scout_executions (scout_id, started_at);
CREATE INDEX scout_executions_of_user ON scout_executions (user_id, started_at);

CREATE TABLE scout_execution_steps (
    id UUID PRIMARY KEY,
    execution_id UUID NOT NULL REFERENCES scout_executions (id) ON DELETE CASCADE,
    step_number INTEGER NOT NULL,
    step_type TEXT NOT NULL
        CHECK (step_type IN ('search', 'scrape', 'analyze', 'summarize', 'tool_call')),
    description TEXT NOT NULL,
    input_data JSONB,
    output_data JSONB,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    error_message TEXT,
    created_at TIMESTAMPTZ NOT NULL,

    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    fence INTEGER NOT NULL DEFAULT 1,
    answered_by TEXT
        CHECK (answered_by IN ('model', 'repair', 'lines', 'fallback', 'built-in', 'code')),

    UNIQUE (execution_id, fence, step_number)
);

CREATE INDEX scout_execution_steps_of_user ON scout_execution_steps (user_id);

CREATE TABLE scout_pages (
    id UUID PRIMARY KEY,
    execution_id UUID NOT NULL REFERENCES scout_executions (id) ON DELETE CASCADE,
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source INTEGER,
    url TEXT NOT NULL,
    final_url TEXT NOT NULL,
    canonical_url TEXT NOT NULL,
    outcome TEXT NOT NULL,
    http_status INTEGER,
    detail TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    content_hash TEXT NOT NULL DEFAULT '',
    published_at TIMESTAMPTZ,
    published_from TEXT NOT NULL DEFAULT 'none',
    fetched_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX scout_pages_of_execution ON scout_pages (execution_id);
CREATE INDEX scout_pages_of_scout ON scout_pages (scout_id);
CREATE INDEX scout_pages_of_user ON scout_pages (user_id);

-- 2048: an index entry of PostgreSQL holds at most 2704 bytes, and canonical URLs are ASCII.
CREATE TABLE seen_pages (
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    canonical_url TEXT NOT NULL,
    etag TEXT,
    last_modified TEXT,
    content_hash TEXT NOT NULL,
    read_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scout_id, canonical_url),
    CONSTRAINT seen_pages_url_length CHECK (length(canonical_url) <= 2048)
);

CREATE INDEX seen_pages_of_user ON seen_pages (user_id);

CREATE TABLE scout_findings (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    execution_id UUID REFERENCES scout_executions (id) ON DELETE SET NULL,
    source INTEGER NOT NULL,
    fact TEXT NOT NULL,
    quote TEXT NOT NULL,
    url TEXT NOT NULL,
    canonical_url TEXT NOT NULL,
    host TEXT NOT NULL,
    title TEXT NOT NULL,
    published_at TIMESTAMPTZ,
    published_from TEXT NOT NULL DEFAULT 'none',
    novelty TEXT NOT NULL CHECK (novelty IN ('new', 'repeat', 'possible_repeat', 'stale')),
    same_as UUID REFERENCES scout_findings (id) ON DELETE SET NULL,
    similarity DOUBLE PRECISION,
    reason TEXT NOT NULL DEFAULT '',
    stated_date TEXT NOT NULL DEFAULT '',
    answered_by TEXT NOT NULL DEFAULT 'model'
        CHECK (answered_by IN ('model', 'repair', 'lines', 'fallback', 'built-in', 'code')),
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT scout_findings_url_length CHECK (length(canonical_url) <= 2048)
);

CREATE INDEX scout_findings_of_user ON scout_findings (user_id, created_at, id);
CREATE INDEX scout_findings_of_scout ON scout_findings (scout_id, created_at, id);
CREATE INDEX scout_findings_of_page ON scout_findings (scout_id, canonical_url);
CREATE INDEX scout_findings_of_execution ON scout_findings (execution_id);
CREATE INDEX scout_findings_repeated ON scout_findings (same_as);

CREATE TABLE embeddings (
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('finding', 'summary')),
    subject_id UUID NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    embedder TEXT NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension > 0),
    vector BYTEA NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, embedder),
    CONSTRAINT embeddings_float32 CHECK (length(vector) = 4 * dimension)
);

CREATE INDEX embeddings_of_scout ON embeddings (scout_id, embedder);
CREATE INDEX embeddings_of_user ON embeddings (user_id);

CREATE TABLE search_cache (
    key TEXT PRIMARY KEY,
    answer JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX search_cache_by_age ON search_cache (created_at);

CREATE TABLE engine_state (
    name TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    open_until TIMESTAMPTZ,
    detail TEXT NOT NULL DEFAULT '',
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE resolved (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    resolved_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE firecrawl_usage_logs (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scout_id UUID REFERENCES scouts (id) ON DELETE SET NULL,
    execution_id UUID REFERENCES scout_executions (id) ON DELETE SET NULL,
    used_fallback BOOLEAN NOT NULL DEFAULT FALSE,
    fallback_reason TEXT,
    api_calls_count INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX firecrawl_usage_logs_of_user ON firecrawl_usage_logs (user_id);
CREATE INDEX firecrawl_usage_logs_of_scout ON firecrawl_usage_logs (scout_id);
CREATE INDEX firecrawl_usage_logs_of_execution ON firecrawl_usage_logs (execution_id);
