-- What a finding is beside earlier ones gets two more values. The column is made anew instead of
-- the table, since both databases can do that and no reference to the table is touched.

ALTER TABLE scout_findings ADD COLUMN kind TEXT NOT NULL DEFAULT 'new'
    CHECK (kind IN ('new', 'update', 'possible_repeat', 'repeat', 'stale', 'suppressed'));
UPDATE scout_findings SET kind = novelty WHERE novelty <> 'new';
ALTER TABLE scout_findings DROP COLUMN novelty;
ALTER TABLE scout_findings RENAME COLUMN kind TO novelty;

-- The first finding of the event that one belongs to; it may be gone, its name stays.
ALTER TABLE scout_findings ADD COLUMN story_id UUID;
ALTER TABLE scout_findings ADD COLUMN changed TEXT NOT NULL DEFAULT '';
ALTER TABLE scout_findings ADD COLUMN path JSONB;
-- The words that a search looks for, folded, one blank between two.
ALTER TABLE scout_findings ADD COLUMN terms TEXT NOT NULL DEFAULT '';
UPDATE scout_findings SET story_id = COALESCE(same_as, id),
    terms = lower(fact || ' ' || title || ' ' || quote);
CREATE INDEX scout_findings_of_story ON scout_findings (story_id, created_at, id);

-- What a user said of a finding: one word each, the last one counts.
CREATE TABLE finding_opinions (
    finding_id UUID PRIMARY KEY REFERENCES scout_findings (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scout_id UUID NOT NULL REFERENCES scouts (id) ON DELETE CASCADE,
    opinion TEXT NOT NULL CHECK (opinion IN ('useful', 'not_useful', 'repeat', 'wrong')),
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX finding_opinions_of_scout ON finding_opinions (scout_id);
CREATE INDEX finding_opinions_of_user ON finding_opinions (user_id);

CREATE INDEX scout_findings_words ON scout_findings USING gin (to_tsvector('simple', terms));
