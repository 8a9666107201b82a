"""Shapes tell what is alike, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.shapes import differences, merged, shape

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ROW = {"id": ID, "status": "running", "at": "2026-11-21T13:44:38.1+00:00", "end": None, "n": [1]}
NAMED = {**ROW, "id": "{{run1}}"}


def test_a_shape_has_kinds_literals_and_names() -> None:
    """Values that differ each time become kinds; those that mean something stay."""
    assert shape(ROW) == {
        "id": "uuid",
        "status": "=running",
        "at": "time",
        "end": None,
        "n": ["number"],
    }
    assert shape(NAMED)["id"] == "{{run1}}"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"more": 1}, "$.more: is new"),
        ({"status": "completed"}, "$.status: 'completed' instead of '=running'"),
        ({"end": "2026-11-21T13:44:40Z"}, "$.end: '2026-11-21T13:44:40Z' instead of None"),
        ({"n": []}, "$.n: has 0 elements"),
        ({"n": ["1"]}, "$.n[0]: '1' instead of 'number'"),
        ({"id": None}, "$.id: None instead of {{run1}}"),
    ],
)
def test_what_differs_is_named(changed: dict[str, Any], told: str) -> None:
    """A key, a type, a literal, an empty list: each is told with its place."""
    assert differences(shape(NAMED), {**ROW, **changed}, {}) == [told]


def test_a_name_stands_for_one_value() -> None:
    """It is learnt where it is met first, and must be the same from then on."""
    known: dict[str, str] = {}
    assert differences(shape(NAMED), ROW, known) == []
    assert known == {"run1": ID}
    assert differences({"topic": "=run-{{run1}}"}, {"topic": f"run-{ID}"}, known) == []
    assert differences({"id": "{{run1}}"}, {"id": "another"}, known)


def test_a_list_has_one_shape() -> None:
    """Keys that only some rows have may be missing, and kinds add up."""
    rows = [{"a": None, "b": []}, {"a": "x", "b": [1], "c": True}]
    wanted = shape(rows)
    assert wanted == [{"a": "null|text", "b": ["number", "?"], "c?": True}]
    assert differences(wanted, rows, {}) == []
    assert merged("=x", "=y") == "=x|=y"
