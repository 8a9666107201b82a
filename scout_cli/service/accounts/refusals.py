"""How accounts say no; `code` is what programs branch on."""

from __future__ import annotations

from scout_cli.errors import Conflict, Forbidden, InvalidInput, Unauthorized


class InvalidCredentials(Unauthorized):
    """Address and password do not fit together; nothing tells which of them is wrong."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__(
            "the e-mail address or the password is wrong",
            hint="POST /auth/recover sends a code for a new password",
        )


class SessionGone(Unauthorized):
    """The session ended, or its account is not there any more."""

    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("this session has ended", hint="sign in again: POST /auth/login")


class BadToken(Unauthorized):
    """A token that scout did not make, or that is too old."""

    code = "bad_token"

    def __init__(self) -> None:
        super().__init__("this token is not good", hint="sign in again, or make another token")


class BadRefreshToken(InvalidInput):
    """A refresh token that was never made here, was used long ago, or whose session ended."""

    code = "refresh_token_not_found"

    def __init__(self) -> None:
        super().__init__("this refresh token is not good", hint="sign in again: POST /auth/login")


class BadCode(InvalidInput):
    """A code that was mailed, or given for a sign-in, and is unknown, too old or used."""

    code = "code_expired"

    def __init__(self) -> None:
        super().__init__("this code is unknown, too old or used", hint="ask for another one")


class WeakPassword(InvalidInput):
    """A password that others would guess, or that cannot be kept.

    Args:
        reason: `length` or `common`.
        message: what is wrong with it.
    """

    code = "weak_password"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, hint="8 to 128 characters that nobody would guess")
        self.reasons = (reason,)


class BadAddress(InvalidInput):
    """What is no e-mail address."""

    code = "email_address_invalid"

    def __init__(self) -> None:
        super().__init__("this is no e-mail address", hint="for example: me@example.org")


class AccountExists(Conflict):
    """Somebody has this address."""

    code = "user_already_exists"

    def __init__(self) -> None:
        super().__init__("there is an account with this address", hint="sign in: POST /auth/login")


class SignupClosed(Forbidden):
    """Accounts are made by whoever runs the server."""

    code = "signup_disabled"


class NotConfirmed(Forbidden):
    """The address was not confirmed yet; the password was right."""

    code = "email_not_confirmed"

    def __init__(self) -> None:
        super().__init__(
            "the e-mail address is not confirmed yet", hint="use the code in the mail you got"
        )


class Disabled(Forbidden):
    """The account was disabled; the password was right."""

    code = "user_banned"

    def __init__(self) -> None:
        super().__init__("this account is disabled", hint="ask whoever runs this server")
