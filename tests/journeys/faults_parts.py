"""What each kind of device has to do in a hall, how one sees that it does, and what it must never show.

A part is chosen by the capabilities of a profile, so that a family that is new has its part already.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.hall import Change, Hall
from edge_agent.keeper import DeviceKeeper
from hall_core.devices.layout import ScreenSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import Capability, SendText
from hall_core.queueing import commands as c
from hall_core.queueing.facts import TicketRated
from hall_core.schedule.hours import Hours
from simulators.device import SimDevice

__all__ = ["HERE", "Part", "Stage", "label_of", "part_for"]

#: where the device under test stands, and its service
HERE, SERVICE = "1", "social"
#: a picture may be on its way so long after another one has become true (s)
UNDER_WAY_S = 3.0
_LABEL = re.compile(r"[A-Z]\d{3}")
#: every character a strip of this hall may show besides a label
_LETTERS = set("0123456789号窗口请到办理中暂停服务 \n→-滨江街道政务中心")
_NEVER = Hours(mon=(), tue=(), wed=(), thu=(), fri=(), sat=(), sun=())


@dataclass
class Stage:
    """The hall and the device of one cell, and all that was seen of it: (seconds, sight)."""

    hall: Hall
    devices: Devices
    sim: SimDevice
    keeper: DeviceKeeper
    #: rings when something is known or seen anew
    seen: Bell
    sights: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.sim.on_show = lambda _device, shows: self.sights.append((self.clock(), shows))

    def clock(self) -> float:
        """Seconds."""
        return self.hall.clock.monotonic()

    async def take(self, service: str = SERVICE, **more: Any) -> str:
        """Somebody takes a number; the id of the ticket."""
        n = next(self.numbers)
        ids = {"request_id": f"take-{n}", "ticket_id": f"ticket-{n}", "token": f"token-{n:016}"}
        await self.hall.handle(c.IssueTicket(**ids, service=service, **more))
        return ids["ticket_id"]

    async def call(self, counter: str = HERE, service: str = SERVICE, **more: Any) -> str:
        """One more citizen is called to the counter, who was there before has left; the label."""
        await self.take(service, **more)
        if self.hall.queue.in_hand(counter):
            await self.hall.handle(c.NoShow(counter=counter))
        await self.hall.handle(c.CallNext(counter=counter))
        return label_of(self.hall, counter)


def label_of(hall: Hall, counter: str) -> str:
    """Who is called to the counter now, or nobody."""
    ticket = hall.queue.in_hand(counter)
    return ticket.label if ticket else ""


class Part:
    """Base: `move` changes what is true, `present` says whether the device shows it, `wrong` what never should."""

    counter: ClassVar[str | None] = HERE
    #: more of the hall file's entry
    entry: ClassVar[dict[str, Any]] = {}
    #: a picture follows its device home; a job is done once or never
    paints: ClassVar[bool] = True

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def move(self) -> None:
        raise NotImplementedError

    def present(self) -> bool:
        raise NotImplementedError

    def wrong(self) -> list[str]:
        return []

    def shows(self) -> dict[str, Any]:
        """What is seen now."""
        return self.stage.sim.shows()


class StripPart(Part):
    """Over a counter stands who is called to it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        #: since when (s) each label is the true one
        self.truths = [(stage.clock(), self.true(stage.hall))]
        stage.hall.listeners.append(self._hear)

    def true(self, hall: Hall) -> str:
        return label_of(hall, HERE)

    def seen(self, shows: dict[str, Any]) -> str:
        """The label in sight; key-pads have digits only."""
        if "ticket" in shows:
            return f"A{shows['ticket']}" if shows["ticket"] not in ("", "000") else ""
        found = _LABEL.search(self.text(shows))
        return found[0] if found else ""

    def text(self, shows: dict[str, Any]) -> str:
        return str(shows.get("text", ""))

    async def move(self) -> None:
        await self.stage.call()

    def present(self) -> bool:
        return self.seen(self.shows()) == self.true(self.stage.hall)

    def wrong(self) -> list[str]:
        found, stood = [], ""
        for at, shows in self.stage.sights:
            label = self.seen(shows)
            news, stood = label != stood, label  # what stands there since then is no news
            if label and news and label not in self._true_around(at):
                found.append(f"{label} was shown, true then was {self._true_around(at)}")
            if not set(_LABEL.sub("", self.text(shows))) <= _LETTERS:
                found.append(f"unreadable: {self.text(shows)!r}")
        return found

    def _true_around(self, at: float) -> set[str]:
        ends = [since for since, _ in self.truths[1:]] + [float("inf")]
        return {
            label
            for (since, label), end in zip(self.truths, ends, strict=True)
            if since <= at and end >= at - UNDER_WAY_S
        }

    def _hear(self, change: Change) -> None:
        del change  # the hall has moved on already
        now = self.true(self.stage.hall)
        if now != self.truths[-1][1]:
            self.truths.append((self.stage.clock(), now))


class BoardPart(StripPart):
    """The whole hall's calls, the newest first."""

    counter = None

    def true(self, hall: Hall) -> str:
        return hall.queue.calls[0].label if hall.queue.calls else ""

    def text(self, shows: dict[str, Any]) -> str:
        rows = shows.get("rows") or shows.get("showing") or shows.get("text", "")
        return rows if isinstance(rows, str) else "\n".join(rows)


class LampPart(Part):
    """Lamps burn as the counter stands."""

    async def move(self) -> None:
        paused = self.stage.hall.queue.counters[HERE].state == "paused"
        wish = c.ResumeCounter(counter=HERE) if paused else c.PauseCounter(counter=HERE, reason="午休")
        await self.stage.hall.handle(wish)

    def present(self) -> bool:
        mode = {"open": "free"}.get(state := str(self.stage.hall.queue.counters[HERE].state), state)
        return mode in self.shows()["modes"]


class DisplayPart(Part):
    """A display stands as the hall wants it, also after somebody played with its remote control."""

    counter = None

    async def move(self) -> None:
        self.stage.sim.key("input")

    def present(self) -> bool:
        shows, screen = self.shows(), self.stage.keeper.setup.screen
        return shows["power"] == "on" and shows["input"] == screen.input


class CabinetPart(Part):
    """A terminal is locked outside its hours."""

    counter = None

    async def move(self) -> None:
        keeper = self.stage.keeper
        hours = Hours.always() if keeper.setup.screen.hours == _NEVER else _NEVER
        keeper.setup = keeper.setup.model_copy(update={"screen": ScreenSetup(hours=hours)})
        keeper.poke()

    def present(self) -> bool:
        return bool(self.shows()["locked"]) is (self.stage.keeper.setup.screen.hours == _NEVER)

    def wrong(self) -> list[str]:
        dark = [shows for _, shows in self.stage.sights if not shows["power"]]
        return ["nobody restarted it, and it was without power"] if dark else []


class PrinterPart(Part):
    """Who takes a number gets a slip, once."""

    counter, paints = None, False

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.last = ""

    async def move(self) -> None:
        ticket = await self.stage.take()
        self.last = self.stage.hall.queue.tickets[ticket].label

    def present(self) -> bool:
        return not self.last or self.last in self._labels(self.shows())

    def wrong(self) -> list[str]:
        issued = {t.label for t in self.stage.hall.queue.tickets.values()}
        sights = [shows for _, shows in self.stage.sights] + [self.shows()]
        slips = {(label, slip["at"]) for shows in sights for label, slip in self._labelled(shows)}
        most = Counter(label for label, _ in slips)
        for shows in sights:
            most |= Counter(self._labels(shows))
        twice = [f"{label} was printed {n} times" for label, n in most.items() if n > 1]
        return twice + [f"nobody took {label}" for label in most if label not in issued]

    def _labels(self, shows: dict[str, Any]) -> list[str]:
        return [label for label, _ in self._labelled(shows)]

    @staticmethod
    def _labelled(shows: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Each slip in sight with the label printed on it."""
        return [(_LABEL.findall(str(slip["lines"]))[0], slip) for slip in shows["slips"]]


class PagerPart(Part):
    """Whose number is called feels their pager shake, once for each call."""

    paints = False

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.calls: dict[str, str] = {}

    async def move(self) -> None:
        pager = len(self.calls) + 1
        self.calls[str(pager)] = await self.stage.call(pager=pager)

    def present(self) -> bool:
        return not self.calls or list(self.calls)[-1] in self.shows()["pagers"]

    def wrong(self) -> list[str]:
        shows = self.shows()
        found = [f"pager {n} shook for nobody" for n in shows["pagers"] if n not in self.calls]
        found += [
            f"pager {n} says {seen['text']!r}"
            for n, seen in shows["pagers"].items()
            if seen["text"] and seen["text"] != f"{self.calls.get(n)} {HERE}"
        ]
        if shows["pages"] > len(self.calls):
            found.append(f"{shows['pages']} pages for {len(self.calls)} calls")
        return found


class MessagePart(Part):
    """A short message is sent once."""

    counter, paints = None, False
    #: three seconds between two messages are for operators; here nobody complains
    entry: ClassVar[dict[str, Any]] = {"options": {"interval_ms": 0, "send_timeout_ms": 6000}}

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.sent = 0

    async def move(self) -> None:
        self.sent += 1
        to = f"+8613{random.randrange(10**9):09d}"
        job = SendText(job_id=f"sms-{self.sent}", to=to, text=f"第{self.sent}条")
        self.stage.keeper.jobs.put(job, 30)

    def texts(self) -> list[str]:
        return [message["text"] for message in self.shows()["sent"]]

    def present(self) -> bool:
        return not self.sent or f"第{self.sent}条" in self.texts()

    def wrong(self) -> list[str]:
        return [f"{text} was sent {n} times" for text, n in Counter(self.texts()).items() if n > 1]


class CardPart(Part):
    """A card that is laid down is read once."""

    counter, paints = None, False
    entry: ClassVar[dict[str, Any]] = {"options": {"pepper": "p" * 32}}

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.laid = 0
        self.read_before = 0

    async def move(self) -> None:
        self.read_before = self.stage.devices.readers.count
        self.stage.sim.key("lift")
        self.laid += 1
        self.stage.sim.key(f"card-{self.laid % 3 + 1}")

    def present(self) -> bool:
        return self.stage.devices.readers.count > self.read_before or not self.laid

    def wrong(self) -> list[str]:
        read = self.stage.devices.readers.count
        return [f"{read} cards were read, {self.laid} were laid down"] if read > self.laid else []


class EvaluatorPart(Part):
    """Whose visit has ended is asked for a rating, and what they choose counts once."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.ended = ""
        self.known = {""}
        self.ratings: Counter[str] = Counter()
        stage.hall.listeners.append(self._hear)

    async def move(self) -> None:
        label = await self.stage.call()
        await self.stage.hall.handle(c.Start(counter=HERE))
        await self.stage.hall.handle(c.Finish(counter=HERE))
        self.ended = f"{label}-1"
        self.known.add(self.ended)

    def present(self) -> bool:
        return not self.ended or str(self.shows()["asking"]).endswith(self.ended)

    def wrong(self) -> list[str]:
        asked = {str(shows["asking"]).partition(f"-{HERE}-")[2] for _, shows in self.stage.sights}
        found = [f"asked for {what}" for what in asked - self.known]
        return found + [f"{ticket} was rated {n} times" for ticket, n in self.ratings.items() if n > 1]

    def _hear(self, change: Change) -> None:
        self.ratings.update(fact.ticket_id for fact in change.facts if isinstance(fact, TicketRated))


def part_for(profile: Profile) -> type[Part]:
    """What a device of this model has to do."""
    can = profile.capabilities
    if Capability.CALL_DISPLAY in can or Capability.TEXT in can:
        return BoardPart if profile.kind == "board" else StripPart
    by_capability: list[tuple[Capability, type[Part]]] = [
        (Capability.LOCK, CabinetPart),
        (Capability.INDICATOR, LampPart),
        (Capability.POWER, DisplayPart),
        (Capability.PRINT_TICKET, PrinterPart),
        (Capability.PAGE_USER, PagerPart),
        (Capability.SMS_CHANNEL, MessagePart),
        (Capability.CARD_READ, CardPart),
        (Capability.EVALUATE, EvaluatorPart),
    ]
    found = next((part for capability, part in by_capability if capability in can), None)
    assert found, f"{profile.id}: nobody has said what such a device does in a hall"
    return found
