"""The way out: which addresses may be dialled, and plain HTTP within limits. Knows no pages."""
