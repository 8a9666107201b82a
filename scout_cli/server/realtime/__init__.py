"""`/realtime/v1/websocket`: changes as they happen, over one socket with many channels.

`frames` knows both spellings of the wire, `bindings` what a channel asks for and `filters` of which
rows, `changed` what is told of a change, `channels` who hears it; `hub` connects them to the one
feed, `socket` is one client and `speaking` what it is told.
"""
