-- Vectors packed by the hundred, for looking through all of them. Nothing here is more than a copy:
-- what is lost is packed again by the next search.

CREATE TABLE vector_blocks (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    embedder TEXT NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension > 0),
    -- NULL for vectors that the extension of a PostgreSQL compares.
    packed BYTEA
);

-- They are small numbers at random: trying to compress them only costs time.
ALTER TABLE vector_blocks ALTER COLUMN packed SET STORAGE EXTERNAL;

CREATE INDEX vector_blocks_of_user ON vector_blocks (user_id, embedder);

-- In which block the vector of a finding has its copy; NULL for none yet.
CREATE TABLE vector_places (
    finding_id UUID NOT NULL,
    embedder TEXT NOT NULL,
    user_id UUID NOT NULL,
    block_id UUID REFERENCES vector_blocks (id) ON DELETE SET NULL,
    PRIMARY KEY (finding_id, embedder)
);

CREATE INDEX vector_places_of_block ON vector_places (block_id);
CREATE INDEX vector_places_without ON vector_places (user_id, embedder, finding_id)
    WHERE block_id IS NULL;

INSERT INTO vector_places (finding_id, embedder, user_id)
    SELECT subject_id, embedder, user_id FROM embeddings WHERE subject_kind = 'finding';

CREATE FUNCTION embeddings_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO vector_places (finding_id, embedder, user_id)
        VALUES (NEW.subject_id, NEW.embedder, NEW.user_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER embeddings_placed AFTER INSERT ON embeddings
    FOR EACH ROW WHEN (NEW.subject_kind = 'finding') EXECUTE FUNCTION embeddings_placed();

-- A block goes with the first of its vectors that changes or goes: what is forgotten is nowhere,
-- and the others are packed again.
CREATE FUNCTION embeddings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM vector_blocks WHERE id = (SELECT block_id FROM vector_places
        WHERE finding_id = OLD.subject_id AND embedder = OLD.embedder);
    IF TG_OP = 'DELETE' THEN
        DELETE FROM vector_places WHERE finding_id = OLD.subject_id AND embedder = OLD.embedder;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER embeddings_changed AFTER UPDATE OF vector OR DELETE ON embeddings
    FOR EACH ROW WHEN (OLD.subject_kind = 'finding') EXECUTE FUNCTION embeddings_changed();
