"""A box connects: who it is, how far its streams are, and what it must still be given."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.store import facts as fact_store
from controller.store import halls as hall_store
from controller.store import wishes as wish_store
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from controller.use_cases.ports import to_agent
from controller.use_cases.wishing import WishSender, join_stream
from hall_core.errors import WireError
from hall_core.wire.envelope import AgentState, Birth, Desired
from hall_core.wire.topics import Leaf

__all__ = ["SITE", "BirthAnswers", "apply_birth", "apply_state", "heard_alive"]

#: the desired document every box follows
SITE = "site"
#: the document that names the boxes that were replaced, and how many of them
RETIRED, RETIRED_KNOWN = "retired", 20


@dataclass(frozen=True, slots=True)
class BirthAnswers:
    """What a box that connects is told besides its position; `own_of` is for the boxes of one hall only."""

    sender: WishSender
    site: Desired
    own_of: Callable[[str], dict[str, str]]
    new_id: Callable[[], str]


def apply_birth(draft: Draft, hall: LiveHall, birth: Birth, answers: BirthAnswers) -> None:
    """Store the box's identity and answer with what is applied. Raises WireError for another's hall."""
    if birth.agent != hall.agent or birth.hall != hall.hall:
        raise WireError("Birth: this agent was enrolled for another hall")
    row = fact_store.stream_row(draft.tx, birth.stream)
    if row is not None and (row["agent"] != hall.agent or row["hall"] != hall.hall):
        raise WireError("Birth: stream: belongs to another box")
    streams = fact_store.streams_of(draft.tx, hall.hall)
    known = {stream["stream"] for stream in streams}
    # Another birth of this very transaction may have moved in: the broker kept the one before and sends both.
    current = next((s["stream"] for s in streams if s["incarnation"] == draft.box(hall)), hall.stream)
    is_present = row is None or (
        row["retired_at"] is None and (current is None or current not in known or birth.stream == current)
    )
    present = birth.stream if is_present else current
    applied = int(row["applied"]) if row else 0
    if row is None:
        box = {"agent": hall.agent, "hall": hall.hall, "incarnation": birth.incarnation}
        fresh = {**box, "stream": birth.stream, "last": birth.last, "first_seen": draft.now}
        fact_store.add_stream(draft.tx, fresh)
    else:
        fact_store.told_last(draft.tx, birth.stream, birth.last)
    draft.positions[birth.stream] = (hall.agent, applied)
    _look_for_trouble(draft, hall, birth, applied, is_present=is_present)
    site = answers.site.model_copy(update={"body": {**answers.site.body, **answers.own_of(hall.hall)}})
    draft.outgoing.append(to_agent(hall.agent, Leaf.DESIRED, site, SITE))
    # Under one name both boxes hear it; it names those that are meant.
    gone = sorted(s["incarnation"] for s in streams if s["retired_at"] or s["stream"] != present)
    if gone:
        document = Desired(rev=len(gone), body={"incarnations": gone[-RETIRED_KNOWN:]})
        draft.outgoing.append(to_agent(hall.agent, Leaf.DESIRED, document, RETIRED))
    if is_present:
        # Nothing is wished of a box that was replaced: what it was to do, another does now.
        wish_stream, wishes_applied = join_stream(draft, hall, birth, answers.new_id)
        _move_in(draft, hall, birth)
        draft.after.append(lambda: answers.sender.begin(hall, wish_stream, wishes_applied))


def _move_in(draft: Draft, hall: LiveHall, birth: Birth) -> None:
    """This box is the hall's present one."""
    hall_store.change_hall(
        draft.tx,
        hall.hall,
        incarnation=birth.incarnation,
        stream=birth.stream,
        boot=birth.boot,
        version=birth.version,
        name=birth.name,
    )

    draft.boxes[hall.hall] = birth.incarnation

    def remember() -> None:
        if hall.incarnation != birth.incarnation:
            hall.granted, hall.reported = None, None
        hall.incarnation, hall.stream, hall.boot = birth.incarnation, birth.stream, birth.boot
        hall.version, hall.name, hall.last = birth.version, birth.name, birth.last

    draft.after.append(remember)
    draft.halls.add(hall.hall)


def _look_for_trouble(draft: Draft, hall: LiveHall, birth: Birth, applied: int, *, is_present: bool) -> None:
    if birth.last < applied:
        zh = f"主控盒的记录只到第 {birth.last} 条，中心已收到 {applied} 条；该盒可能由旧备份恢复，请更换代次"
        en = f"The box holds {birth.last} facts, the controller {applied}: it was restored from a copy"
        draft.raise_alarm("stream-set-back", hall.hall, birth.stream, zh, en)
    if not is_present:
        zh, en = "已更换的旧主控盒又上线了，请断开它", "A box that was replaced has come back; disconnect it"
        draft.raise_alarm("old-box-returned", hall.hall, birth.incarnation, zh, en)


def apply_state(draft: Draft, hall: LiveHall, state: AgentState) -> None:
    """The box is there or not. The will of an earlier life says nothing about this one."""
    if state.boot < hall.boot:
        return
    if state.state == "online":
        draft.end_alarm("hall-lost", hall.hall, "")
    elif state.state == "lost":
        zh, en = "与大厅失去联系，大厅内照常办理", "The hall cannot be reached; it goes on by itself"
        draft.raise_alarm("hall-lost", hall.hall, "", zh, en)

    def remember() -> None:
        hall.online = state.state == "online"

    draft.after.append(remember)
    draft.halls.add(hall.hall)


def heard_alive(draft: Draft, hall: LiveHall, stream: str | None, sender: WishSender) -> None:
    """The hall's present box has said something: it is there, even when its birth or its state was lost.

    `stream` is the one the message belongs to, None for a message without any.
    """
    if stream not in (None, hall.stream) or hall.incarnation is None:
        return
    newest = None
    if stream is not None and not sender.knows(hall.agent):
        newest = wish_store.newest_stream(draft.tx, hall.agent, hall.incarnation)
    if hall.online and newest is None:
        return
    if not hall.online:
        draft.end_alarm("hall-lost", hall.hall, "")
        draft.halls.add(hall.hall)

    def remember() -> None:
        hall.online = True
        if newest is not None and not sender.knows(hall.agent):
            sender.begin(hall, newest["stream"], int(newest["acked"]))

    draft.after.append(remember)
