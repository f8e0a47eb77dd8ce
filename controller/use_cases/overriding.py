"""Numbers for a box that nothing but a telephone reaches: a zone is set aside, and a code says which.

The grant is written under `override-…`, not under the box: when the box is back it is granted the next zone
like any other, whether somebody has typed the code or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from controller.store import grants as grant_store
from controller.store import halls as hall_store
from controller.store.database import Tx
from controller.use_cases.granting import LAST_ZONE
from controller.use_cases.live import local_time, rebuild
from controller.use_cases.phones import PhoneBox
from hall_core.clock import Clock
from hall_core.errors import SettingsInvalid
from hall_core.queueing.numbering import ZONE_SIZE
from hall_core.queueing.override import LONGEST_DAYS, TAIL, Override, box_tail, write_code

__all__ = ["Told", "free_zone", "set_aside"]


@dataclass(frozen=True, slots=True)
class Told:
    """The code, and the sentences for the telephone."""

    code: str
    zh: str
    en: str


def free_zone(grants: Iterable[dict[str, Any]], first: date, last: date) -> int:
    """The zone after all that anybody was ever granted on one of these days.

    Never zone 0: a box that ran without a controller may have granted it to itself.
    """
    held = (g["zone"] for g in grants if g["first_day"] <= last and first <= g["last_day"])
    return 1 + max(held, default=0)


def set_aside(tx: Tx, phones: PhoneBox, clock: Clock, *, hall: str, tail: str, days: int) -> Told:
    """Set a zone aside for the box with this tail, from today on. Raises SettingsInvalid."""
    tail = box_tail(tail)
    if len(tail) != TAIL or not tail.isascii() or not tail.isalnum():
        raise SettingsInvalid(f"a box is named by the {TAIL} characters its page /override shows")
    if not 1 <= days <= LONGEST_DAYS:
        raise SettingsInvalid(f"a code gives numbers for 1 to {LONGEST_DAYS} days")
    row = hall_store.lock_hall(tx, hall)
    if row is None:
        raise SettingsInvalid(f"hall {hall!r} is not enrolled; `hall-controller hall add` enrols it")
    today = _today(tx, row["stream"], clock)
    last = today + timedelta(days=days - 1)
    zone = free_zone(grant_store.grants_of(tx, hall, today), today, last)
    if zone > LAST_ZONE:
        raise SettingsInvalid(f"all zones of {hall} are used on one of these days; try fewer days")
    said = Override(hall, tail, zone, today, last)
    grant = {"grant_id": said.grant_id, "hall": hall, "incarnation": f"override-{tail}", "line": "*"}
    span = {"zone": zone, "first_day": today, "last_day": last}
    grant_store.add_grant(tx, {**grant, **span, "adopted": False, "granted_at": clock.now()})
    return _told(said, row["name"], write_code(said, phones.override_key(hall)))


def _today(tx: Tx, stream: str | None, clock: Clock) -> date:
    """The hall's present day, in the time zone it has told."""
    queue = rebuild(tx, stream or "").queue
    return local_time(queue, clock.now()).date()


def _told(said: Override, name: str, code: str) -> Told:
    numbers = f"{said.zone * ZONE_SIZE + 1:03}–{(said.zone + 1) * ZONE_SIZE - 1:03}"
    return Told(
        code,
        f"{name}：请在编号 {said.tail} 的主控盒打开 /override 页，输入 {code}；"
        f"{said.first_day} 至 {said.last_day} 可发 {numbers} 号",
        f"{name}: on the box {said.tail}, open /override and enter {code}; "
        f"it gives {numbers} from {said.first_day} to {said.last_day}",
    )
