-- What changed, for whoever watches from any process: an owner on every row, so that nothing is told
-- to another, deletions and cascades included. Signs of life of a run are no change. What a row
-- holds is read from the row.

CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- One writer at a time: the order of numbers is the order of commits.
    written_by INTEGER NOT NULL DEFAULT 0,
    table_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    row_id TEXT NOT NULL,
    user_id UUID NOT NULL,
    scout_id UUID,
    execution_id UUID,
    at TIMESTAMPTZ NOT NULL
);

CREATE INDEX changes_in_order ON changes (written_by, number);
CREATE INDEX changes_by_age ON changes (at);

CREATE TRIGGER changes_scouts_inserted AFTER INSERT ON scouts
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scouts', 'INSERT', NEW.id, NEW.user_id, NEW.id, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scouts_updated AFTER UPDATE OF
        title, description, goal, search_queries, location, frequency, schedule, timezone, is_active,
        last_run_at, consecutive_failures, language, urls, feeds, include_domains, exclude_domains,
        notify, digest
    ON scouts
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scouts', 'UPDATE', NEW.id, NEW.user_id, NEW.id, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scouts_deleted AFTER DELETE ON scouts
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scouts', 'DELETE', OLD.id, OLD.user_id, OLD.id, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_messages_inserted AFTER INSERT ON scout_messages
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_messages', 'INSERT', NEW.id, NEW.user_id, NEW.scout_id, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_messages_deleted AFTER DELETE ON scout_messages
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_messages', 'DELETE', OLD.id, OLD.user_id, OLD.scout_id, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_executions_inserted AFTER INSERT ON scout_executions
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_executions', 'INSERT', NEW.id, NEW.user_id, NEW.scout_id, NEW.id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_executions_updated AFTER UPDATE OF
        status, state, completed_at, summary_text, results_summary, error_message, run_after
    ON scout_executions
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_executions', 'UPDATE', NEW.id, NEW.user_id, NEW.scout_id, NEW.id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_executions_deleted AFTER DELETE ON scout_executions
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_executions', 'DELETE', OLD.id, OLD.user_id, OLD.scout_id, OLD.id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_execution_steps_inserted AFTER INSERT ON scout_execution_steps
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_execution_steps', 'INSERT', NEW.id, NEW.user_id, NULL, NEW.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_execution_steps_updated AFTER UPDATE OF
        status, output_data, completed_at, error_message
    ON scout_execution_steps
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_execution_steps', 'UPDATE', NEW.id, NEW.user_id, NULL, NEW.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_execution_steps_deleted AFTER DELETE ON scout_execution_steps
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_execution_steps', 'DELETE', OLD.id, OLD.user_id, NULL, OLD.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_findings_inserted AFTER INSERT ON scout_findings
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_findings', 'INSERT', NEW.id, NEW.user_id, NEW.scout_id, NEW.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_findings_updated AFTER UPDATE OF
        novelty
    ON scout_findings
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_findings', 'UPDATE', NEW.id, NEW.user_id, NEW.scout_id, NEW.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_scout_findings_deleted AFTER DELETE ON scout_findings
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('scout_findings', 'DELETE', OLD.id, OLD.user_id, OLD.scout_id, OLD.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_execution_events_inserted AFTER INSERT ON execution_events
WHEN NEW.is_last
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('execution_events', 'INSERT', NEW.execution_id, NEW.user_id, NULL, NEW.execution_id,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_user_preferences_inserted AFTER INSERT ON user_preferences
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('user_preferences', 'INSERT', NEW.id, NEW.user_id, NULL, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_user_preferences_updated AFTER UPDATE OF
        location, firecrawl_key_status, last_test_email_at
    ON user_preferences
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('user_preferences', 'UPDATE', NEW.id, NEW.user_id, NULL, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;

CREATE TRIGGER changes_user_preferences_deleted AFTER DELETE ON user_preferences
BEGIN
    INSERT INTO changes (table_name, kind, row_id, user_id, scout_id, execution_id, at)
    VALUES ('user_preferences', 'DELETE', OLD.id, OLD.user_id, NULL, NULL,
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00');
END;
