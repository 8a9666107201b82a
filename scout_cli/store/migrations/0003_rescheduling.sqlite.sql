-- Whoever changes a rhythm, a zone or an activity, the next run is worked out anew: null asks the
-- scheduler to. A statement that sets `next_run_at` itself knows better. The web interface writes
-- only `frequency`; the rhythm follows it.

CREATE TRIGGER scouts_inserted AFTER INSERT ON scouts
WHEN NEW.frequency IS NOT NULL AND NEW.frequency <> 'daily' AND NEW.schedule = 'daily'
BEGIN
    UPDATE scouts SET schedule = NEW.frequency WHERE id = NEW.id;
END;

CREATE TRIGGER scouts_frequency AFTER UPDATE OF frequency ON scouts
WHEN NEW.frequency IS NOT OLD.frequency AND NEW.frequency IS NOT NULL
    AND NEW.schedule IS OLD.schedule AND NEW.schedule IS NOT NEW.frequency
BEGIN
    UPDATE scouts SET schedule = NEW.frequency WHERE id = NEW.id;
END;

CREATE TRIGGER scouts_rescheduled AFTER UPDATE OF schedule, timezone, is_active ON scouts
WHEN NEW.next_run_at IS OLD.next_run_at AND NEW.next_run_at IS NOT NULL
    AND (NEW.schedule IS NOT OLD.schedule OR NEW.timezone IS NOT OLD.timezone
        OR NEW.is_active IS NOT OLD.is_active)
BEGIN
    UPDATE scouts SET next_run_at = NULL WHERE id = NEW.id;
END;

CREATE TRIGGER scouts_resumed AFTER UPDATE OF is_active ON scouts
WHEN NEW.is_active AND NOT OLD.is_active
BEGIN
    UPDATE scouts SET paused_reason = NULL, consecutive_failures = 0 WHERE id = NEW.id;
END;
