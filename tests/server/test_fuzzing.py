"""Requests made from the OpenAPI document: no server error, no answer that is not described."""

from __future__ import annotations

import pytest

from tests.server.fuzzing import cases, fuzz

OURS = (
    r"^/(api/v1/(scouts|executions|findings|channels|outbox|preferences|usage|audit)|openapi|docs)"
)


@pytest.mark.slow
async def test_every_answer_is_described_and_none_is_an_error(server):
    """Good, bad and odd requests meet no 5xx, and no status, type or body of another kind."""
    code, said = await fuzz(server, examples=2, phases="examples,coverage,fuzzing", only=OURS)
    assert code == 0, said[-4_000:]
    assert cases(said) > 1_000, said[-1_000:]
