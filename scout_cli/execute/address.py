"""What an executor's URL says beside its scheme."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from scout_cli.errors import ConfigError

_MOST = 1_000


def concurrency_of(url: str) -> int | None:
    """Return the number that `?concurrency=` names; None without one.

    Raises:
        ConfigError: the URL says anything else.
    """
    scheme, form = url.partition(":")[0], "write local:// or local://?concurrency=4"
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ConfigError("execute_url: this URL cannot be read", hint=form) from None
    if url.partition(":")[2][:2] != "//" or parts.netloc or parts.path or parts.fragment:
        hint = form.replace("local", scheme.lower())
        raise ConfigError("execute_url: only a query may follow its ://", hint=hint)
    if not given:
        return None
    ((name, value), *more) = given
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 0
    if more or name != "concurrency" or not 1 <= number <= _MOST:
        hint = f"{scheme.lower()}://?concurrency=4, from 1 to {_MOST}"
        raise ConfigError("execute_url: its query is not one scout knows", hint=hint)
    return number
