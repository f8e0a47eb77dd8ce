"""Numbers inside granted zones: zone 0 is 001–999, zone 1 is 1001–1999, and so on."""

from datetime import date

from hall_core.errors import NoGrant, ZoneExhausted
from hall_core.queueing.queue import Grant, Queue

__all__ = ["OFFLINE_LINE", "ZONE_SIZE", "label_of", "next_number", "zone_key"]

ZONE_SIZE = 1000
#: the line of the numbers the controller gives while a hall is away; no service may have it
OFFLINE_LINE = "W"


def label_of(line: str, number: int) -> str:
    """`A018`: the line's prefix and at least three digits."""
    return f"{line}{number:03d}"


def zone_key(line: str, zone: int) -> str:
    """Key of `Queue.numbers`."""
    return f"{line}/{zone}"


def _granted(grant: Grant, *, line: str, day: date, incarnation: str) -> bool:
    return (
        grant.incarnation == incarnation
        and grant.line in (line, "*")
        and grant.first_day <= day <= grant.last_day
    )


def next_number(queue: Queue, *, line: str, day: date, incarnation: str) -> int:
    """The next number this box may give in a line on a day.

    Raises NoGrant when the box holds no zone for the day, ZoneExhausted when all are used.
    """
    zones = [g.zone for g in queue.grants if _granted(g, line=line, day=day, incarnation=incarnation)]
    if not zones:
        raise NoGrant(line=line, day=day.isoformat())
    for zone in zones:
        first = zone * ZONE_SIZE + 1
        number = queue.numbers.get(zone_key(line, zone), first - 1) + 1
        if number < first + ZONE_SIZE - 1:
            return number
    raise ZoneExhausted(line=line)
