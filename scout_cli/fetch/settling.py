"""When is a page that scripts make ready to be read? When it has loaded and its text stays."""

from __future__ import annotations

import asyncio

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

_LOADED = 8_000
"""Milliseconds for pictures, styles and scripts; one that hangs holds nobody up for longer."""
_QUIET = 3_000
"""Milliseconds until nothing is asked for any more; some pages ask for ever."""
_SAME = 2
"""Looks that must find the text unchanged."""
_LOOKS = 40
_BETWEEN = 0.1
_TEXT = "() => document.body ? document.body.innerText.length : 0"


async def settle(page: Page) -> None:
    """Wait until the text of a page stays the same; return then, or when it never does.

    Raises:
        PlaywrightError: the page is gone.
    """
    await _reached(page, "load", _LOADED)
    await _reached(page, "networkidle", _QUIET)
    last, same = -1, 0
    for _ in range(_LOOKS):
        length = await _length(page)
        same = same + 1 if length == last else 0
        if same >= _SAME:
            return
        last = length
        await asyncio.sleep(_BETWEEN)


async def _reached(page: Page, state: str, milliseconds: float) -> None:
    try:
        await page.wait_for_load_state(state, timeout=milliseconds)  # type: ignore[arg-type]
    except PlaywrightTimeout:
        return


async def _length(page: Page) -> int:
    """Return how long the text is; -2 while the page is on its way to another one."""
    try:
        return int(await page.evaluate(_TEXT))
    except PlaywrightError:
        if page.is_closed():
            raise
        return -2
