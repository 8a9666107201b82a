"""The table interface: a part of PostgREST's, in stages that do one thing each.

`parse` reads the request's text, `plan` checks its names against the catalogue, `store.query.sql`
makes the statements, `reply` the answer. Writes go through the use cases that the command line has.
"""
