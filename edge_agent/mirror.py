"""A second copy of the journal on another path: a stick, or the kiosk's disk.

It follows the journal as the uplink does, from a position of its own, and never holds the hall up. Each
line has a checksum, so whatever a stick loses at its end, everything before it is read. A file begins with
a picture of the queue: the files before it are only needed while the centre lacks their facts.
"""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zlib import crc32

from edge_agent.hall import Hall
from edge_agent.journal import Foundation, LeftOver, WishCursor, queue_of
from hall_core.devices.vocabulary import DeviceState
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import TicketIssued, fact_adapter
from hall_core.queueing.queue import Queue

__all__ = ["Mirror", "Mirrored", "read_mirror"]

logger = logging.getLogger(__name__)

#: a new file begins when one is so large and the journal has a later picture of the queue
FILE_BYTES = 4 * 1024 * 1024
AT_ONCE = 500
#: the stick is written at most so often: many facts share one flush
CALM_S = 0.2
RETRY_S = 5.0
_SUFFIX = ".facts"


@dataclass(slots=True)
class Mirrored:
    """What a mirror holds of a stream: its queue, where it ends, and the facts the centre may lack."""

    stream: str
    boot: int = 0
    acked: int = 0
    last: int = 0
    wishes: WishCursor | None = None
    #: when the last of its facts happened
    at: datetime | None = None
    queue: Queue = field(default_factory=Queue)
    facts: dict[int, str] = field(default_factory=dict)

    @property
    def holds_people(self) -> bool:
        """True where somebody holds a number or a time of which only this may tell."""
        kind = f'"kind":"{TicketIssued.model_fields["kind"].default}"'
        return bool(
            self.queue.tickets or self.queue.appointments or any(kind in b for b in self.facts.values())
        )

    def left_over(self) -> LeftOver:
        """What the centre may lack of this stream: its last facts, as far as they follow on each other."""
        first = self.last + 1
        while first - 1 in self.facts:
            first -= 1
        return LeftOver(self.stream, self.boot, first, self.last, self.wishes)


class Mirror:
    """`run` keeps the copy. `behind` counts the facts that are not on it; `trouble` says why not."""

    def __init__(self, folder: Path, hall: Hall, name: str) -> None:
        self._folder, self._hall = _of_hall(folder, name), hall
        self._root, self._name = folder, name
        self._file: Path | None = None
        self._begins = 0
        self._told: tuple[int, WishCursor | None] = (0, None)
        self.last = 0
        self.reason = ""

    @property
    def behind(self) -> int:
        """How many facts the copy lacks."""
        return max(0, self._hall.journal.last - self.last)

    def trouble(self) -> tuple[DeviceState, str] | None:
        """Why the journal has no second copy now, None while it has."""
        return (DeviceState.OFFLINE, self.reason) if self.reason else None

    async def run(self) -> None:
        """Follow the journal for ever; a stick that is away or full is tried again."""
        while True:
            rung = self._hall.bell.count
            try:
                behind = await asyncio.to_thread(self.follow)
                self._say("")
            except OSError as error:
                self._file = None
                self._say(f"副本不可用：{error.strerror} (no mirror: {error.strerror})")
                await asyncio.sleep(RETRY_S)
                continue
            if not behind:
                await asyncio.sleep(CALM_S)
                await self._hall.bell.wait_past(rung)

    def follow(self) -> int:
        """Copy the next facts, flushed; returns how many are still missing. Raises OSError."""
        journal = self._hall.journal
        if not self._root.is_dir():
            raise FileNotFoundError(2, f"{self._root} is not there", str(self._root))
        if self._file is None:
            self._find()
        assert self._file is not None
        facts = journal.read(self.last, AT_ONCE)
        lines = [f"f {fact.n} {fact.body}" for fact in facts]
        told = (journal.acked, self._hall.wishes)
        if told[0] != self._told[0]:
            lines.append(f"a {told[0]}")
        if told[1] is not None and told[1] != self._told[1]:
            lines.append(f"w {told[1].stream} {told[1].applied}")
        if lines:
            _append(self._file, lines)
        self._told = told
        self.last = facts[-1].n if facts else self.last
        if self._file.stat().st_size > FILE_BYTES and journal.foundation().n > self._begins:
            self._begin()
        return self.behind

    def _find(self) -> None:
        """Go on in this stream's newest file where it can be told on from there, else begin a new one."""
        journal = self._hall.journal
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in reversed(_files(self._folder, journal.stream)):
            held, good = _read(file)
            if held is None or not journal.foundation().n <= held.last <= journal.last:
                break
            with file.open("r+b") as out:
                out.truncate(good)
            self._file, self.last, self._begins = file, held.last, _first(file)
            return
        self._begin()

    def _begin(self) -> None:
        """A new file, from the journal's older picture of the queue on; then what nobody needs goes."""
        journal = self._hall.journal
        foundation: Foundation = journal.foundation()
        head = {"v": 1, "hall": self._name, "stream": journal.stream, "boot": journal.boot}
        file = self._folder / f"{journal.stream}.{foundation.n:012d}{_SUFFIX}"
        lines = [f"h {json.dumps({**head, 'n': foundation.n, 'acked': journal.acked})}"]
        lines += [f"q {foundation.body}"] if foundation.body else []
        file.unlink(missing_ok=True)
        _append(file, lines)
        self._file, self.last, self._begins, self._told = file, foundation.n, foundation.n, (0, None)
        own = _files(self._folder, journal.stream)
        ends = {older: _first(newer) for older, newer in pairwise(own)}
        for old in own[:-2]:
            # The newest two stay, and all that the centre may still need.
            if ends[old] <= journal.acked:
                old.unlink()
        if journal.left is None:
            for other in self._folder.glob(f"*{_SUFFIX}"):
                if not other.name.startswith(journal.stream):
                    other.unlink()

    def _say(self, reason: str) -> None:
        if reason != self.reason:
            self.reason = reason
            (logger.warning if reason else logger.info)("mirror path=%s %s", self._root, reason or "kept")
            self._hall.bell.ring()


def read_mirror(folder: Path, name: str) -> Mirrored | None:
    """The newest stream of this hall that a mirror can tell; None when there is none."""
    try:
        files = sorted(_of_hall(folder, name).glob(f"*{_SUFFIX}"), reverse=True)
        streams = sorted({file.name.split(".")[0] for file in files}, reverse=True)
        for stream in streams:
            found = _gather([f for f in files if f.name.startswith(stream)], name)
            if found is not None:
                return found
    except OSError as error:
        logger.warning("mirror cannot be read path=%s reason=%s", folder, error.strerror)
    return None


def _gather(newest_first: list[Path], name: str) -> Mirrored | None:
    """The newest readable file tells the queue; older ones only add facts."""
    found: Mirrored | None = None
    for file in newest_first:
        held, _ = _read(file, name)
        if held is None:
            continue
        if found is None:
            found = held
        else:
            found.facts = {**held.facts, **found.facts}
    if found is not None:
        found.facts = {n: body for n, body in found.facts.items() if found.acked < n <= found.last}
    return found


def _read(file: Path, name: str | None = None) -> tuple[Mirrored | None, int]:
    """What a file tells up to its first bad line, and how many bytes that is; None without a good head."""
    held, good = None, 0
    for line, size in _lines(file):
        kind, _, text = line.partition(" ")
        if held is None:
            head = json.loads(text) if kind == "h" else {}
            if head.get("v") != 1 or (name is not None and head.get("hall") != name):
                return None, 0
            held = Mirrored(head["stream"], head["boot"], head["acked"], head["n"])
        elif kind == "q":
            held.queue = queue_of(text)
        elif not _take(held, kind, text):
            break
        good += size
    if held is not None and held.queue.applied != held.last - len(held.facts):
        return None, 0  # its picture of the queue is missing
    if held is not None:
        facts = [fact_adapter.validate_json(body, extra="ignore") for body in held.facts.values()]
        held.queue = replay(held.queue, facts)
        issued = [ticket.issued_at for ticket in held.queue.tickets.values()]
        held.at = facts[-1].at if facts else max(issued, default=None)
    return held, good


def _take(held: Mirrored, kind: str, text: str) -> bool:
    if kind == "f":
        n, _, body = text.partition(" ")
        if int(n) != held.last + 1:
            return False
        held.facts[int(n)], held.last = body, int(n)
    elif kind == "a":
        held.acked = int(text)
    elif kind == "w":
        stream, applied = text.split()
        held.wishes = WishCursor(stream, int(applied))
    return True


def _lines(file: Path) -> Iterator[tuple[str, int]]:
    """Lines whose checksum is right, up to the first that is not."""
    with file.open("rb") as data:
        for raw in data:
            checksum, _, text = raw.rstrip(b"\n").partition(b" ")
            if not raw.endswith(b"\n") or checksum != b"%08x" % crc32(text):
                return
            yield text.decode(), len(raw)


def _append(file: Path, lines: list[str]) -> None:
    encoded = [line.encode() for line in lines]
    is_new = not file.exists()
    with file.open("ab") as out:
        out.write(b"".join(b"%08x %s\n" % (crc32(line), line) for line in encoded))
        out.flush()
        os.fsync(out.fileno())
    if is_new:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _of_hall(folder: Path, name: str) -> Path:
    return folder / f"quiethall-{name}"


def _files(folder: Path, stream: str) -> list[Path]:
    return sorted(folder.glob(f"{stream}.*{_SUFFIX}"))


def _first(file: Path) -> int:
    return int(file.name.split(".")[1])
