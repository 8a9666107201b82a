"""What a competent small model would answer to scout's questions, as a script for OllamaServer."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.ollama_server import Says, prompt_of

_PAGE = re.compile(r"^(page-\w+)\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_FACT = re.compile(r"^((?:\[S\d+\])+) (.*)$", re.MULTILINE)
_BULLET = re.compile(r"^- (.*)$", re.MULTILINE)


def competent(request: dict[str, Any]) -> Says:
    """Fill the form that the request's schema describes, from what the prompt holds."""
    if request.get("tools"):
        return Says(text="done")
    wanted = set(request["format"]["properties"])
    prompt = prompt_of(request)
    if "title" in wanted:
        goal = prompt.split("\n\n")[1]
        answer: dict[str, Any] = {
            "title": "Model Named This",
            "description": f"News about: {goal[:60]}",
            "queries": [f"{goal[:40]} one", f"{goal[:40]} two", f"{goal[:40]} three"],
        }
    elif wanted == {"queries"}:
        answer = {"queries": ["a query that the model added"]}
    elif "facts" in wanted:
        answer = {"facts": _claims(prompt)}
    elif "searches" in wanted:
        answer = {"searches": [], "results": []}
    elif "ship" in wanted:
        answer = {"ship": "Marigold", "day": "14 March 2026", "euros": 12}
    elif "items" in wanted:
        answer = {"items": [f"{text} {cites}" for cites, text in _FACT.findall(prompt)]}
    else:
        answer = {"sentence": _BULLET.findall(prompt)[0][:150]}
    return Says(text=json.dumps(answer))


def _claims(prompt: str) -> list[dict[str, str]]:
    """Two dated sentences of the page, and one that the page does not hold."""
    page = _PAGE.search(prompt)
    sentences = re.findall(r"[A-Z][^.!?\n]{40,250}\d[^.!?\n]*[.!?]", page.group(2) if page else "")
    found = [{"fact": each[:300], "quote": each, "date": ""} for each in sentences[:2]]
    invented = "The moon was sold to a private bidder for 12 coins last Tuesday."
    return [*found, {"fact": invented, "quote": invented, "date": ""}]
