-- What a page said that a scout watches for itself, so that the next look can tell what was added.
-- The texts of runs are gone after a while; a page may stay as it is for longer.

ALTER TABLE seen_pages ADD COLUMN text TEXT NOT NULL DEFAULT '';
