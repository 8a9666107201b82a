"""The server: what the application can do, over HTTP."""
