-- A search for a common word reads the findings that were told, newest first, and not all the repeats
-- between them.

CREATE INDEX scout_findings_told ON scout_findings (user_id, created_at, id)
    WHERE novelty IN ('new', 'update', 'possible_repeat');
