# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""The texts that stand under the fields of a class: the reference writes itself from them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def meanings(kind: type) -> dict[str, str]:
    """Return field name -> the text under it, on one line, for the fields that have one."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found
