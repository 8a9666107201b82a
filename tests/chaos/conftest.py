"""Places for chaos, one PostgreSQL for all of them."""

from __future__ import annotations

import pytest

from tests.chaos import places


@pytest.fixture
def on(request):
    """Return a function that opens a fresh database of a kind."""

    def open_(kind):
        server = request.getfixturevalue("postgres") if kind == "postgresql" else None
        return places.place(kind, server)

    return open_
