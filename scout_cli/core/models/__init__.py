"""What scout keeps: scouts, their executions, the steps of a run and the findings.

Field names are the column names. The first group of each record belongs to the web interface's
tables; the second is ours and stands beside it.
"""

from __future__ import annotations

from scout_cli.core.models.findings import (
    HELD_BACK,
    REPORTED,
    Finding,
    Near,
    Novelty,
    Opinion,
    Path,
    Rung,
)
from scout_cli.core.models.pages import DateOrigin, PageOutcome, PageSnapshot, SeenPage
from scout_cli.core.models.people import ChatMessage, User
from scout_cli.core.models.record import Record, Secret
from scout_cli.core.models.runs import (
    AnsweredBy,
    Counts,
    Execution,
    Outcome,
    Problem,
    ResultsSummary,
    State,
    Status,
    Step,
    StepKind,
    TaskStatus,
    Usage,
)
from scout_cli.core.models.scouts import Digest, Frequency, Location, Scout, ScoutPatch

__all__ = [
    "HELD_BACK",
    "REPORTED",
    "AnsweredBy",
    "ChatMessage",
    "Counts",
    "DateOrigin",
    "Digest",
    "Execution",
    "Finding",
    "Frequency",
    "Location",
    "Near",
    "Novelty",
    "Opinion",
    "Outcome",
    "PageOutcome",
    "PageSnapshot",
    "Path",
    "Problem",
    "Record",
    "ResultsSummary",
    "Rung",
    "Scout",
    "ScoutPatch",
    "Secret",
    "SeenPage",
    "State",
    "Status",
    "Step",
    "StepKind",
    "TaskStatus",
    "Usage",
    "User",
]
