"""Accounts, sessions and tokens: one set for the server, the web interface and the command line."""

from __future__ import annotations

from scout_cli.service.accounts.accounts import Accounts
from scout_cli.service.accounts.joining import Rules
from scout_cli.service.accounts.people import Person
from scout_cli.service.accounts.sessions import SignedIn
from scout_cli.service.accounts.tokens import NewToken

__all__ = ["Accounts", "NewToken", "Person", "Rules", "SignedIn"]
