"""The chaos tests can fail: each of scout's guarantees, taken out of a copy, is missed by them."""

from __future__ import annotations

import pytest

from tests.chaos.mutations import MUTATIONS, Mutation, unnoticed

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_missing_guarantee_is_noticed(mutation: Mutation) -> None:
    """Without the fence, the one transaction, the unique slot or the stable key a test fails."""
    unnoticed(mutation).check()
