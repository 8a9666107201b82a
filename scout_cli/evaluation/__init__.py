"""How good a model and an embedder are at this work, on a bundled and labelled web."""
