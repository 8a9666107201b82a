"""What aiohttp raises, in our words: no address that a name led to, no path of this machine."""

from __future__ import annotations

import os
import ssl

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientPayloadError,
    ClientResponseError,
    ClientSSLError,
    ServerDisconnectedError,
)
from yarl import URL

from scout_cli.net.failure import FetchFailed
from scout_cli.net.guard import Barred


def explain(error: Exception, target: URL) -> FetchFailed:
    """Return the failure that `error` means for a request to `target`."""
    url, host = str(target), target.host or ""
    if isinstance(error, FetchFailed):
        return error
    cause = getattr(error, "os_error", None)
    if isinstance(cause, Barred):
        return FetchFailed("refused", cause.message, hint=cause.hint, final_url=url)
    if isinstance(error, TimeoutError):
        return FetchFailed("timeout", f"{host} was silent for too long", final_url=url)
    certificate = isinstance(error, ClientConnectorCertificateError)  # which is a ValueError too
    if isinstance(error, (ClientResponseError, ValueError)) and not certificate:
        return FetchFailed("garbled", f"{host} did not answer in proper HTTP", final_url=url)
    return FetchFailed("unreachable", _reason(error, host), hint=_hint(error), final_url=url)


def _reason(error: Exception, host: str) -> str:
    if isinstance(error, ClientConnectorDNSError):
        return f"no address is known for the name {host}"
    if isinstance(error, ClientConnectorCertificateError):
        return f"{host} has no valid certificate: {_certificate(error.certificate_error)}"
    if isinstance(error, ClientSSLError):
        return f"{host} and scout could not agree on an encrypted connection"
    if isinstance(error, ClientConnectorError):
        return f"{host} cannot be connected to: {_system(error.os_error)}"
    if isinstance(error, (ServerDisconnectedError, ClientPayloadError)):
        return f"{host} broke off its answer"
    return f"the connection to {host} broke: {_system(error)}"


def _hint(error: Exception) -> str:
    if isinstance(error, ClientConnectorDNSError):
        return "Check the spelling of the address and this machine's network."
    return ""


def _certificate(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return "it could not be verified"


def _system(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else "no reason"
