"""Hostile input: what must stay shut."""
