"""Which hall is shorter: halls that offer a service, in the order in which they are worth going to."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any, Self

from controller.use_cases.citizen import is_stale
from controller.use_cases.context import Context
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.views import hall_public
from hall_core.errors import BadRequest

__all__ = ["Point", "Start", "public_halls", "ranked", "services_of"]

Hall = dict[str, Any]

#: a kilometre as the crow flies takes so many minutes in a town, by bus or bicycle
MIN_PER_KM = 4.0
EARTH_KM = 6371.0
#: halls looked at before others have their turn
AT_A_TIME = 50
_POINT = re.compile(r"(-?\d{1,2}(?:\.\d{1,9})?),(-?\d{1,3}(?:\.\d{1,9})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the map, in degrees."""

    lat: float
    lon: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `lat,lon`. Raises BadRequest."""
        found = _POINT.fullmatch(text.strip())
        if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
            raise BadRequest(what="near: lat,lon in degrees")
        return cls(float(found[1]), float(found[2]))

    def km_to(self, other: "Point") -> float:
        """As the crow flies."""
        south, north = radians(self.lat), radians(other.lat)
        half = sin((north - south) / 2) ** 2
        half += cos(south) * cos(north) * sin(radians(other.lon - self.lon) / 2) ** 2
        return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))


@dataclass(frozen=True, slots=True)
class Start:
    """Where somebody sets out: a point on the map, or a hall of the district's tree, or nowhere known."""

    at: Point | None = None
    hall: str | None = None


async def public_halls(context: Context) -> list[Hall]:
    """What everybody may know of every hall, two seconds old; older where there are thousands of halls."""

    async def make() -> list[Hall]:
        rows = []
        for n, hall in enumerate(context.live, 1):
            rows.append(_public(context, hall))
            if n % AT_A_TIME == 0:
                await asyncio.sleep(0)
        return rows

    return await context.public.get(context.clock, make)


def _public(context: Context, hall: LiveHall) -> Hall:
    queue, now = context.live.queue_of(hall), context.clock.now()
    stale = is_stale(hall.last_seen, now)
    return {
        "id": hall.hall,
        "name": hall.name,
        "level": hall.level,
        "parent": hall.parent,
        "online": hall.online and not stale,
        "stale": stale,
        "last_seen": hall.last_seen.isoformat() if hall.last_seen else None,
        **hall_public(queue, now),
        "services": context.services.of(hall.hall, queue, local_time(queue, now)),
    }


def services_of(halls: Iterable[Hall]) -> list[dict[str, Any]]:
    """Every service that some hall offers, once, with how many halls do; the commonest first."""
    found: dict[str, dict[str, Any]] = {}
    for hall in halls:
        for service in hall["services"]:
            names = {name: service.get(name, "") for name in ("id", "name", "name_en", "about", "about_en")}
            row = found.setdefault(service["id"], {**names, "halls": 0})
            row["halls"] += 1
    return sorted(found.values(), key=lambda row: -row["halls"])


def ranked(halls: list[Hall], service: str | None, start: Start) -> list[Hall]:
    """The halls that offer the service (all without one), best first.

    Each has `distance_km`; with a service also `expected`, which is `{service, open, waiting, range_min,
    minutes}`, and `proposed`, true for the first one that is open, in contact and has an estimate.
    `minutes` is the middle of the range and, from a known place, the way there.
    """
    steps = _steps(halls, start.hall)
    rows = [{**hall, "distance_km": _distance(hall, start.at)} for hall in halls]
    rows.sort(key=lambda row: (*_nearness(row, steps), row["name"]))
    if service is None:
        return rows
    offering = []
    for row in rows:
        offered = next((s for s in row["services"] if s["id"] == service), None)
        if offered is not None:
            offering.append({**row, "expected": _expected(offered, row["distance_km"]), "proposed": False})
    # Sorting keeps what is equal in its order: the nearer of two equal waits comes first.
    offering.sort(key=_worth)
    for best in offering[:1]:
        best["proposed"] = _worth(best)[0] == 0
    return offering


def _nearness(row: Hall, steps: dict[str, int]) -> tuple[bool, float, int]:
    km = row["distance_km"]
    return km is None, km or 0.0, steps.get(row["id"], len(steps))


def _worth(row: Hall) -> tuple[int, float]:
    """Open and known first, then open without an estimate, then what cannot be reached, then closed."""
    expected = row["expected"]
    if not expected["open"]:
        return 3, 0.0
    if row["stale"]:
        return 2, 0.0
    minutes = expected["minutes"]
    return (1, 0.0) if minutes is None else (0, minutes)


def _expected(offered: dict[str, Any], km: float | None) -> dict[str, Any]:
    span = offered["range_min"]
    minutes = None if span is None else sum(span) / 2 + MIN_PER_KM * (km or 0.0)
    return {
        "service": offered["id"],
        "open": offered["open"],
        "waiting": offered["waiting"],
        "range_min": span,
        "minutes": None if minutes is None else round(minutes, 1),
    }


def _distance(hall: Hall, start: Point | None) -> float | None:
    place = hall.get("place")
    if start is None or not place or place["lat"] is None:
        return None
    return round(start.km_to(Point(place["lat"], place["lon"])), 1)


def _steps(halls: list[Hall], start: str | None) -> dict[str, int]:
    """How many steps of the tree lie between a hall and each other one."""
    beside: dict[str, set[str]] = {hall["id"]: set() for hall in halls}
    for hall in halls:
        if hall["parent"] in beside:
            beside[hall["id"]].add(hall["parent"])
            beside[hall["parent"]].add(hall["id"])
    found: dict[str, int] = {start: 0} if start is not None and start in beside else {}
    edge = list(found)
    while edge:
        further = {other for hall in edge for other in beside[hall]} - found.keys()
        found |= dict.fromkeys(further, found[edge[0]] + 1)
        edge = sorted(further)
    return found
