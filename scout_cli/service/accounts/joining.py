"""Signing up: who may make an account, and what becomes of the wish."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from typing import Any, Literal

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput
from scout_cli.service.accounts import limits, passwords, signing
from scout_cli.service.accounts.addresses import folded
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.accounts.mailing import Mailing
from scout_cli.service.accounts.people import People
from scout_cli.service.accounts.refusals import AccountExists, SignupClosed
from scout_cli.service.accounts.sessions import Sessions, SignedIn
from scout_cli.service.audit import Asker, Audit

_METADATA = 1_024
"""Bytes of what users say of themselves, in ASCII: it travels in every access token."""


class Rules(Record, frozen=True, kw_only=True):
    """What the settings say about accounts."""

    signup: Literal["open", "closed"] = "open"
    confirm_email: bool = False
    base_url: str = ""
    """Where the server is, for mails."""


class Joining:
    """Makes accounts for those who ask for one.

    Args:
        secrets: sign and verify tokens; the first signs.
        rules: what the settings say.
        people: the accounts.
        sessions: opens a session for the new one.
        mailing: sends codes.
        limits_: the allowances.
        audit: the log.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        rules: Rules,
        *,
        people: People,
        sessions: Sessions,
        mailing: Mailing,
        limits_: Limits,
        audit: Audit,
    ) -> None:
        self._secrets = secrets
        self._rules = rules
        self._setup = ""
        self._people = people
        self._sessions = sessions
        self._mailing = mailing
        self._limits = limits_
        self._audit = audit

    async def setup_token(self) -> str | None:
        """Demand a token for the first account from now on, and return it.

        It is the same in every process of an installation. None when there is an account already:
        then nothing is demanded.
        """
        if not await self._people.none_yet():
            return None
        self._setup = signing.setup_token(self._secrets)
        return self._setup

    async def sign_up(
        self,
        email: str,
        password: str,
        asker: Asker,
        *,
        metadata: dict[str, Any] | None = None,
        setup_token: str = "",
        challenge: str = "",
        redirect_to: str = "",
    ) -> SignedIn | None:
        """Make an account and sign in.

        Args:
            email: who.
            password: at least eight characters, and not a common one.
            asker: from where.
            metadata: what the user says of themselves; at most 1 KiB as JSON.
            setup_token: for the first account, where it is demanded.
            challenge: kept with the code that confirms the address.
            redirect_to: kept with it as well.

        Returns:
            The session; None when the address must be confirmed first, and for an address that has
            an account already then: whoever asks cannot tell.

        Raises:
            SignupClosed: accounts are made by whoever runs the server.
            AccountExists: somebody has the address, and no confirmation is asked for.
            InvalidInput: an address, password or metadata that cannot be used.
            TooMany: too many sign-ups from this network.
        """
        address = folded(email)
        passwords.checked(password, address)
        _check_metadata(metadata or {})
        await self._limits.take(limits.signup(asker.address))
        await self._admit(setup_token)
        confirm = self._rules.confirm_email
        try:
            account = await self._people.add(
                address, password, asker, metadata=metadata, confirmed=not confirm
            )
        except AccountExists:
            if not confirm:
                raise
            await self._audit.note("signup", asker, result="address taken")
            self._mailing.later(self._mailing.tell_known(address))
            return None
        if account.email_confirmed_at is None:
            send = self._mailing.send_code(
                account, "confirm", challenge=challenge, redirect_to=redirect_to
            )
            self._mailing.later(send)
            return None
        return await self._sessions.open(account, "password", asker)

    async def _admit(self, given: str) -> None:
        """See whether somebody may make an account now."""
        first = await self._people.none_yet()
        expected = signing.setup_token(self._secrets)
        proven = first and hmac.compare_digest(given.strip().lower().encode(), expected.encode())
        if proven:
            return
        if first and self._setup:
            raise SignupClosed(
                "the first account is for whoever runs this server",
                hint="send the setup_token that `scout serve` printed, or: scout user add EMAIL",
            )
        if self._rules.signup == "closed":
            raise SignupClosed(
                "accounts are made by whoever runs this server", hint="scout user add EMAIL"
            )


def _check_metadata(metadata: dict[str, Any]) -> None:
    # The first is never deep; only what passes it is given to an encoder that minds depth.
    if len(shape.encode(metadata)) > _METADATA or len(json.dumps(metadata)) > _METADATA:
        raise InvalidInput(f"data: more than {_METADATA} bytes as JSON in ASCII")
