-- What changed, for whoever watches from any process: an owner on every row, so that nothing is told
-- to another, deletions and cascades included. Signs of life of a run are no change. What a row
-- holds is read from the row.

CREATE TABLE changes (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Numbers are given before the commit. Whoever reads stops below the oldest transaction that
    -- still runs, and goes by (written_by, number): no row is passed over that commits late.
    written_by XID8 NOT NULL DEFAULT pg_current_xact_id(),
    table_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    row_id TEXT NOT NULL,
    user_id UUID NOT NULL,
    scout_id UUID,
    execution_id UUID,
    at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX changes_in_order ON changes (written_by, number);
CREATE INDEX changes_by_age ON changes (at);

CREATE FUNCTION changes_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY scout_changes;
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_announced AFTER INSERT ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION changes_announced();

CREATE FUNCTION changes_of_scouts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
        VALUES ('scouts', TG_OP, OLD.id, OLD.user_id, OLD.id, NULL);
        RETURN NULL;
    END IF;
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('scouts', TG_OP, NEW.id, NEW.user_id, NEW.id, NULL);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_scouts AFTER INSERT OR UPDATE OF
        title, description, goal, search_queries, location, frequency, schedule, timezone, is_active,
        last_run_at, consecutive_failures, language, urls, feeds, include_domains, exclude_domains,
        notify, digest
    OR DELETE ON scouts
    FOR EACH ROW EXECUTE FUNCTION changes_of_scouts();

CREATE FUNCTION changes_of_scout_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
        VALUES ('scout_messages', TG_OP, OLD.id, OLD.user_id, OLD.scout_id, NULL);
        RETURN NULL;
    END IF;
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('scout_messages', TG_OP, NEW.id, NEW.user_id, NEW.scout_id, NULL);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_scout_messages AFTER INSERT OR DELETE ON scout_messages
    FOR EACH ROW EXECUTE FUNCTION changes_of_scout_messages();

CREATE FUNCTION changes_of_scout_executions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
        VALUES ('scout_executions', TG_OP, OLD.id, OLD.user_id, OLD.scout_id, OLD.id);
        RETURN NULL;
    END IF;
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('scout_executions', TG_OP, NEW.id, NEW.user_id, NEW.scout_id, NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_scout_executions AFTER INSERT OR UPDATE OF
        status, state, completed_at, summary_text, results_summary, error_message, run_after
    OR DELETE ON scout_executions
    FOR EACH ROW EXECUTE FUNCTION changes_of_scout_executions();

CREATE FUNCTION changes_of_scout_execution_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
        VALUES ('scout_execution_steps', TG_OP, OLD.id, OLD.user_id, NULL, OLD.execution_id);
        RETURN NULL;
    END IF;
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('scout_execution_steps', TG_OP, NEW.id, NEW.user_id, NULL, NEW.execution_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_scout_execution_steps AFTER INSERT OR UPDATE OF
        status, output_data, completed_at, error_message
    OR DELETE ON scout_execution_steps
    FOR EACH ROW EXECUTE FUNCTION changes_of_scout_execution_steps();

CREATE FUNCTION changes_of_scout_findings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
        VALUES ('scout_findings', TG_OP, OLD.id, OLD.user_id, OLD.scout_id, OLD.execution_id);
        RETURN NULL;
    END IF;
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('scout_findings', TG_OP, NEW.id, NEW.user_id, NEW.scout_id, NEW.execution_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_scout_findings AFTER INSERT OR UPDATE OF
        novelty
    OR DELETE ON scout_findings
    FOR EACH ROW EXECUTE FUNCTION changes_of_scout_findings();

CREATE FUNCTION changes_of_execution_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('execution_events', TG_OP, NEW.execution_id, NEW.user_id, NULL, NEW.execution_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_execution_events AFTER INSERT ON execution_events
    FOR EACH ROW WHEN (NEW.is_last) EXECUTE FUNCTION changes_of_execution_events();

CREATE FUNCTION changes_of_user_preferences() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
        VALUES ('user_preferences', TG_OP, OLD.id, OLD.user_id, NULL, NULL);
        RETURN NULL;
    END IF;
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id)
    VALUES ('user_preferences', TG_OP, NEW.id, NEW.user_id, NULL, NULL);
    RETURN NULL;
END
$$;

CREATE TRIGGER changes_of_user_preferences AFTER INSERT OR UPDATE OF
        location, firecrawl_key_status, last_test_email_at
    OR DELETE ON user_preferences
    FOR EACH ROW EXECUTE FUNCTION changes_of_user_preferences();
