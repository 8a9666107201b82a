"""Everything outside that an agent works with."""

from __future__ import annotations

from scout_cli.core.models import Record
from scout_cli.core.ports.clock import Clock
from scout_cli.core.ports.looking import Fetcher, SearchEngine
from scout_cli.core.ports.remembering import Memory
from scout_cli.core.ports.thinking import Embedder, Reasoner


class Parts(Record, frozen=True, kw_only=True):
    """Everything outside that an agent works with."""

    reasoner: Reasoner
    embedder: Embedder
    search: SearchEngine
    fetcher: Fetcher
    memory: Memory
    clock: Clock
