-- Whoever changes a rhythm, a zone or an activity, the next run is worked out anew: null asks the
-- scheduler to. A statement that sets `next_run_at` itself knows better. The web interface writes
-- only `frequency`; the rhythm follows it.

CREATE FUNCTION scouts_rescheduled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.frequency IS DISTINCT FROM OLD.frequency AND NEW.frequency IS NOT NULL
        AND NEW.schedule = OLD.schedule THEN
        NEW.schedule := NEW.frequency;
    END IF;
    IF NEW.next_run_at IS NOT DISTINCT FROM OLD.next_run_at
        AND (NEW.schedule <> OLD.schedule OR NEW.timezone <> OLD.timezone
            OR NEW.is_active <> OLD.is_active) THEN
        NEW.next_run_at := NULL;
    END IF;
    IF NEW.is_active AND NOT OLD.is_active THEN
        NEW.paused_reason := NULL;
        NEW.consecutive_failures := 0;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER scouts_rescheduled BEFORE UPDATE OF frequency, schedule, timezone, is_active
    ON scouts FOR EACH ROW EXECUTE FUNCTION scouts_rescheduled();

CREATE FUNCTION scouts_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.frequency <> 'daily' AND NEW.schedule = 'daily' THEN
        NEW.schedule := NEW.frequency;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER scouts_inserted BEFORE INSERT ON scouts
    FOR EACH ROW EXECUTE FUNCTION scouts_inserted();
