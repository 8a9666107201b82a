-- The full text knows whose finding it is, of which scout and of which kind, so that a search for a
-- common word need not look up each finding that has it. These never change for a finding.

DROP TABLE finding_words;

-- `key` holds words that no text has: the id by which a row is found again, the user, the scout (all
-- without dashes) and the kind. No trigger may write to it, see 0005_novelty.
CREATE VIRTUAL TABLE finding_words USING fts5 (
    id UNINDEXED, key, terms, tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO finding_words (id, key, terms)
    SELECT id,
        replace(id || ' ' || user_id || ' ' || scout_id, '-', '') || ' ' || replace(novelty, '_', ''),
        terms
    FROM scout_findings ORDER BY created_at, id;
DELETE FROM finding_words_due;
