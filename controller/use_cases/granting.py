"""Zones of numbers: granted to one incarnation of a box, at least 14 days ahead, never taken back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from controller.store import grants as grant_store
from controller.store import halls as hall_store
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from controller.use_cases.wishing import wish
from hall_core.queueing.commands import GrantZone
from hall_core.queueing.facts import ZoneGranted

__all__ = ["AHEAD_DAYS", "HORIZON_DAYS", "Zone", "adopt_grant", "ensure_grants", "missing_zones"]

#: a box holds numbers for at least so many days
HORIZON_DAYS = 14
#: and is given so many when it holds fewer
AHEAD_DAYS = 30
LAST_ZONE = 98


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone for consecutive days, both included."""

    zone: int
    first_day: date
    last_day: date


def missing_zones(grants: Iterable[dict[str, Any]], incarnation: str, today: date) -> list[Zone]:
    """What this incarnation must still be granted. On each day it gets the zone after all that anybody
    else was ever granted on that day.
    """
    rows = list(grants)
    own = [g for g in rows if g["incarnation"] == incarnation and g["line"] == "*"]
    others = [g for g in rows if g["incarnation"] != incarnation]
    if all(_holds(own, today + timedelta(days=i)) for i in range(HORIZON_DAYS + 1)):
        return []
    zones: list[Zone] = []
    for day in (today + timedelta(days=i) for i in range(AHEAD_DAYS + 1)):
        if _holds(own, day):
            continue
        zone = 1 + max((g["zone"] for g in others if g["first_day"] <= day <= g["last_day"]), default=-1)
        previous = zones[-1] if zones else None
        if previous and previous.zone == zone and previous.last_day == day - timedelta(days=1):
            zones[-1] = Zone(zone, previous.first_day, day)
        else:
            zones.append(Zone(zone, day, day))
    return zones


def _holds(grants: list[dict[str, Any]], day: date) -> bool:
    return any(g["first_day"] <= day <= g["last_day"] for g in grants)


def ensure_grants(draft: Draft, hall: LiveHall, today: date, new_id: Callable[[], str]) -> None:
    """Write what the hall's present box lacks, as grants and as wishes to it."""
    horizon = today + timedelta(days=HORIZON_DAYS)
    box = draft.box(hall)
    if box is None:
        return
    if box == hall.incarnation and hall.granted and hall.granted[0] <= today and horizon <= hall.granted[1]:
        return
    hall_store.lock_hall(draft.tx, hall.hall)
    rows = grant_store.grants_of(draft.tx, hall.hall, today)
    zones = missing_zones(rows, box, today)
    if any(zone.zone > LAST_ZONE for zone in zones):
        zh, en = "当日号段已用尽，请联系管理员", "All zones of a day are used; a box was replaced too often"
        draft.raise_alarm("zones-used-up", hall.hall, box, zh, en)
        return
    for zone in zones:
        _grant(draft, hall, box, zone, new_id)

    def remember() -> None:
        if hall.incarnation == box:
            hall.granted = (today, horizon)

    draft.after.append(remember)


def _grant(draft: Draft, hall: LiveHall, box: str, zone: Zone, new_id: Callable[[], str]) -> None:
    grant_id = new_id()
    days = {"first_day": zone.first_day, "last_day": zone.last_day}
    row = {"grant_id": grant_id, "incarnation": box, "line": "*", "zone": zone.zone, **days}
    grant_store.add_grant(draft.tx, {**row, "hall": hall.hall, "granted_at": draft.now})
    wish(draft, hall, [GrantZone(request_id=f"qh-{grant_id}", **row)])


def adopt_grant(draft: Draft, hall: LiveHall, fact: ZoneGranted) -> None:
    """A box that granted itself numbers keeps them; a zone two boxes hold on one day is an alarm."""
    if grant_store.grant_named(draft.tx, fact.grant_id):
        return
    row = fact.model_dump(include={"grant_id", "incarnation", "line", "zone", "first_day", "last_day"})
    for other in grant_store.grants_of(draft.tx, hall.hall, fact.first_day):
        same_days = other["first_day"] <= fact.last_day
        if same_days and other["zone"] == fact.zone and other["incarnation"] != fact.incarnation:
            zh = f"号段 {fact.zone} 被两台主控盒同时持有，可能重号，请立即停用其中一台"
            en = f"Zone {fact.zone} is held by two boxes; stop one of them now"
            draft.raise_alarm("zones-overlap", hall.hall, fact.incarnation, zh, en)
    grant_store.add_grant(draft.tx, {**row, "hall": hall.hall, "adopted": True, "granted_at": draft.now})
