"""Real client libraries, driven against a running server."""
