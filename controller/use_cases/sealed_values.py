"""Goes over every sealed number that is kept, in small transactions: to seal it anew, or to remove it."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from controller.store.database import Database, Tx
from controller.store.sealed import PLACES, Place, page, put

__all__ = ["Sealed", "go_over", "in_text", "without_numbers"]

Row = dict[str, Any]

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed number, what it is sealed to, and the end of its mask."""

    value: str
    owner: str
    tail: str


#: what stands there from now on: the same, another sealed value, or None for nothing
Change = Callable[[Sealed], str | None]


def go_over(
    database: Database, change: Change, told: Callable[[str, int], None] = lambda _name, _count: None
) -> Counter[str]:
    """How many rows were changed, by table. `told` hears of every chunk. Begun again it does what is left."""
    changed: Counter[str] = Counter()
    for place in PLACES:
        after: tuple[Any, ...] | None = None
        while True:
            rows, count = database.write_now(partial(_chunk, place=place, after=after, change=change))
            changed[place.name] += count
            told(place.name, changed[place.name])
            if len(rows) < CHUNK:
                break
            after = tuple(rows[-1][name] for name in place.key)
    return changed


def _chunk(tx: Tx, place: Place, after: tuple[Any, ...] | None, change: Change) -> tuple[list[Row], int]:
    rows = page(tx, place, after, CHUNK)
    return rows, sum(_apply(tx, place, row, change) for row in rows)


def _apply(tx: Tx, place: Place, row: Row, change: Change) -> bool:
    before: str = row[place.column]
    if not place.owner:
        text, gone = in_text(before, change)
        if text != before:
            put(tx, place, row, **{place.column: text}, **(place.blank if gone else {}))
        return text != before
    owner = f"manager-{row['hall']}" if place.name == "hall_managers" else row[place.owner]
    after = change(Sealed(before, owner, (row.get(place.masked) or "")[-2:]))
    if after is None:
        put(tx, place, row, **place.blank)
    elif after != before:
        put(tx, place, row, **{place.column: after})
    return after != before


def in_text(text: str, change: Change) -> tuple[str, bool]:
    """JSON with every sealed number in it changed, and whether one of them is gone."""
    head, newline, body = text.rpartition("\n")  # a snapshot has a line before it
    try:
        parts = json.loads(body)
    except ValueError:
        return text, False  # set aside by whoever stored it: nobody reads numbers from it
    done = [_changed(part, change) for part in _parts(parts)]
    if not any(was != now for was, now in done):
        return text, False
    written = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return f"{head}{newline}{written}", any(now is None for _, now in done)


def _parts(value: Any) -> list[Row]:
    """Every object in it that has a sealed number."""
    if isinstance(value, list):
        return [found for item in value for found in _parts(item)]
    if not isinstance(value, dict):
        return []
    inner = [found for item in value.values() for found in _parts(item)]
    return [*inner, value] if isinstance(value.get("phone_sealed"), str) else inner


def _changed(part: Row, change: Change) -> tuple[str, str | None]:
    before = part["phone_sealed"]
    owner = part.get("ticket_id") or part.get("appointment_id") or ""
    after = change(Sealed(before, owner, part.get("phone_tail") or ""))
    part["phone_sealed"] = after
    if after is None:
        for name in {"phone_tail", "fingerprint"} & part.keys():
            part[name] = None
    return before, after


def without_numbers(text: str) -> str:
    """JSON with no number left in it."""
    return in_text(text, lambda _: None)[0]
