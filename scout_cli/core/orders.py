"""Sentences that speak to machines: "Ignore all previous instructions". They tell no news.

This is no defence: there is always another way to say it, and nothing depends on finding it. It
keeps what is plainly no sentence for people out of the quotes that code chooses by itself. It looks
at how a sentence begins, so that a report about such orders stays a report, and wants words that
only machines are addressed with: "Ignore evacuation orders at your own risk" is for people.
"""

from __future__ import annotations

import re
import unicodedata

_BEGINNING = 200
"""Characters of a sentence that are looked at."""
_LEAD = r"[\W_]*(?:(?:important|urgent|attention|please|bitte|and|now|then)\b[\W_]*){0,3}"
"""What may stand before an order: marks of lists and quotes, a call for attention."""
_MACHINE = (
    r"(?:(?:large )?language models?|ai (?:models?|assistants?|agents?|systems?)|ais?|llms?"
    r"|assistants?|chat ?bots?)"
)
_STRONG = r"(?:all|any|every|your|previous|prior|earlier|above|preceding|foregoing|rest|system)"
_WEAK = r"(?:the|of|my|these|those|other|given|original|safety|and|or)"
_SET_ASIDE = (
    # English; German; French; Spanish, Portuguese, Italian; Russian; Chinese, Japanese.
    (
        rf"(?:ignore|disregard|forget|override|bypass)(?:\W+{_WEAK}){{0,3}}\W+{_STRONG}"
        rf"(?:\W+(?:{_STRONG}|{_WEAK})){{0,4}}\W+(?:instructions?|prompts?|directives?|guidelines)\b"
    ),
    r"(?:ignore|disregard) the wish\b",
    (
        r"(?:ignoriere?n?|vergiss|vergessen)\b(?: sie)?\W+(?:alle|deine|ihre|die vorherigen)\b"
        r".{0,30}\banweisungen"
    ),
    r"(?:ignore[zr]?|oublie[zr]?)\W+(?:toutes|tes|vos|les)\b.{0,30}\b(?:instructions|consignes)\b",
    (
        r"(?:ignor[ae]|olvida|esque[cç]a|dimentica)\W+(?:todas|tus|suas|tutte|las|as|le)\b.{0,30}"
        r"\b(?:instrucciones|instrucoes|istruzioni)\b"
    ),
    r"(?:игнорируи|забудь)(?:те)?\W+(?:все|свои|предыдущие)\b.{0,30}\bинструкции\b",
    r".{0,12}(?:忽略|无视).{0,12}(?:指示|指令)|.{0,12}(?:指示|指令).{0,20}無視(?:して|せよ)",
)
_ADDRESSED = (
    # A turn of a chat, or somebody who is no person.
    r"(?:<\|?(?:im_start|system|assistant|user|/?untrusted)|</s>|\[/?(?:inst|system|tool)\b)",
    r"assistants?\s?:",
    r"(?:new |hidden |secret )?system (?:message|prompt|note|instruction|override)s?\b[^.:]{0,60}:",
    (
        rf"(?:instruction|note|notice|message|attention|warning)s?,? (?:to|for) "
        rf"(?:all |any |the )*{_MACHINE}\s?[:,.]"
    ),
    rf"(?:dear|hey|hello),? {_MACHINE}\s?[,:]",
    rf"{_MACHINE},? (?:(?:that is|that are|if you are) )?reading this\b",
    rf"(?:if )?you are (?:now )?(?:an? |the )?(?:helpful )?(?:{_MACHINE}|verifying|jailbroken)\b",
    rf"as an? {_MACHINE},? you\b",
)
_ONLY_OF_PROMPTS = (
    # What nobody but the reader of a prompt could do.
    r"(?:say|reply|respond|answer)\W+(?:only |with |just )*[\"'“]?(?:hacked|pwned)\b",
    (
        r"(?:reply|respond|answer|output) (?:only |just |exactly )?with (?:only |just |exactly )*"
        r"the (?:exact )?(?:word|text|phrase|string)s?\b"
    ),
    (
        r"(?:reveal|print|show|repeat|output|leak|append|send)\b.{0,40}\b(?:system prompt|"
        r"your (?:\w+ )?(?:prompt|instructions)|environment variables)\b"
    ),
    r"(?:print|output|dump) the environment\b",
    (
        r"(?:mark|treat|store|remember) (?:this|it|every (?:claim|quote|fact))\b.{0,40}"
        r"\bas (?:an? )?(?:verified|completed|trusted)\b"
    ),
)
_ORDER = re.compile(
    f"{_LEAD}(?:{'|'.join((*_SET_ASIDE, *_ADDRESSED, *_ONLY_OF_PROMPTS))})", re.IGNORECASE
)


def is_order(sentence: str) -> bool:
    """Return whether `sentence` is plainly an order to whatever machine reads it."""
    return bool(_ORDER.match(_plain(sentence[:_BEGINNING])))


def _plain(text: str) -> str:
    """Return `text` without accents, invisible characters and other forms of the same letters."""
    if text.isascii():
        return text
    spelled = unicodedata.normalize("NFKD", text)
    return "".join(one for one in spelled if unicodedata.category(one) not in ("Mn", "Cf"))
