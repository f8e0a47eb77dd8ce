"""What one transaction is about to change, kept apart until it has committed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.store import alarms as alarm_store
from controller.store.database import Tx
from controller.use_cases.live import LiveHall
from controller.use_cases.ports import Outgoing
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue

__all__ = ["Draft"]


@dataclass(slots=True)
class Draft:
    """One transaction's effects outside the database. `after` runs in order once it has committed.

    `boxes` are the incarnations that move into a hall in this transaction; `woken` the agents that
    were wished something; `positions` what is acknowledged, by stream.
    """

    tx: Tx
    now: datetime
    queues: dict[str, Queue] = field(default_factory=dict)
    frozen: dict[str, int] = field(default_factory=dict)
    positions: dict[str, tuple[str, int]] = field(default_factory=dict)
    answers: dict[str, Fact] = field(default_factory=dict)
    halls: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    boxes: dict[str, str] = field(default_factory=dict)
    woken: set[str] = field(default_factory=set)
    outgoing: list[Outgoing] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    facts: int = 0
    notices: int = 0

    def box(self, hall: LiveHall) -> str | None:
        """The hall's present incarnation, as of this transaction."""
        return self.boxes.get(hall.hall, hall.incarnation)

    def raise_alarm(self, kind: str, hall: str | None, subject: str, zh: str, en: str) -> None:
        """Open an alarm, or count it up."""
        row = {"kind": kind, "hall": hall, "subject": subject, "text": zh, "text_en": en}
        self.alarms.append(alarm_store.open_alarm(self.tx, row, self.now))

    def end_alarm(self, kind: str, hall: str | None, subject: str) -> None:
        """The trouble is over."""
        self.alarms += alarm_store.close_alarm(self.tx, kind, hall, subject, self.now)
