"""The three halls of the demo, as the hall files their boxes read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.queueing.setup import CounterSetup, HallSetup, Level, ServiceSetup
from hall_core.schedule.hours import Hours
from hall_core.schedule.slots import SlotPlan
from simulators.demo_fittings import Place, fittings

__all__ = ["HALLS", "DemoHall", "hall_file", "keypad_counters", "write_hall_file"]

#: how a counter's strip is connected: Modbus TCP, Modbus RTU on the hall's serial bus, Onbon K over TCP
Strip = Literal["tcp", "rtu", "onbon"]
_STRIP_PROFILES: dict[Strip, str] = {
    "tcp": "modbus.led-strip-generic",
    "rtu": "modbus.led-strip-generic",
    "onbon": "onbon.bx-6k1",
}

#: short slots, so that somebody who books in a demo can come at once
_SLOTS = SlotPlan(minutes=5, places=12, days_ahead=7, lead_min=0, early_min=10, late_min=5)

#: the same, with a draw of every new day; when it opens is said at the start of the demo
_DRAWN = _SLOTS.model_copy(update={"draw_min": 1})

_REAL_ESTATE = ServiceSetup(
    id="realty",
    name="不动产登记",
    name_en="Real estate",
    prefix="A",
    minutes=12,
    about="过户、抵押、查询",
    appointments=_DRAWN,
)
_SOCIAL = ServiceSetup(
    id="social",
    name="社会保障",
    name_en="Social security",
    prefix="B",
    minutes=8,
    about="参保、转移、待遇",
    appointments=_SLOTS,
)
_BUSINESS = ServiceSetup(
    id="business", name="企业开办", name_en="Company registration", prefix="C", minutes=15, about="设立、变更"
)
_GENERAL = ServiceSetup(
    id="general", name="综合受理", name_en="General matters", prefix="D", minutes=6, about="一窗通办"
)
_CIVIL = ServiceSetup(id="civil", name="民政服务", name_en="Civil affairs", prefix="E", minutes=8)
_CERTIFICATE = ServiceSetup(id="proof", name="证明开具", name_en="Certificates", prefix="F", minutes=5)


@dataclass(frozen=True, slots=True)
class DemoHall:
    """One hall: who it is, what stands at each counter, how lively it is (arrivals relative to others)."""

    id: str
    name: str
    level: Level
    parent: str | None
    services: tuple[ServiceSetup, ...]
    #: per counter: its services and its strip
    counters: tuple[tuple[tuple[str, ...], Strip], ...]
    #: how many counters, from the first, have a key-pad
    keypads: int
    arrivals: float


HALLS = (
    DemoHall(
        id="haitang",
        name="海棠区政务服务中心",
        level="district",
        parent=None,
        services=(_REAL_ESTATE, _SOCIAL, _BUSINESS, _GENERAL),
        counters=(
            (("realty",), "tcp"),
            (("realty", "general"), "tcp"),
            (("social",), "tcp"),
            (("social", "general"), "rtu"),
            (("business",), "rtu"),
            (("business", "general"), "rtu"),
            (("general", "realty", "social"), "onbon"),
        ),
        keypads=4,
        arrivals=1.0,
    ),
    DemoHall(
        id="liulin",
        name="柳林街道便民服务中心",
        level="street",
        parent="haitang",
        services=(_SOCIAL, _CIVIL, _GENERAL),
        counters=(
            (("social", "general"), "tcp"),
            (("civil", "general"), "rtu"),
            (("social", "civil"), "rtu"),
            (("general",), "onbon"),
        ),
        keypads=2,
        arrivals=0.55,
    ),
    DemoHall(
        id="taoyuan",
        name="桃园社区便民服务站",
        level="community",
        parent="liulin",
        services=(_GENERAL, _CERTIFICATE),
        counters=((("general", "proof"), "rtu"), (("general", "proof"), "onbon")),
        keypads=1,
        arrivals=0.25,
    ),
)


def _drawn_at(service: ServiceSetup, draw_at: str) -> ServiceSetup:
    plan = service.appointments
    if plan is None or not plan.draw_min:
        return service
    return service.model_copy(update={"appointments": plan.model_copy(update={"draw_at": draw_at})})


def _setup(hall: DemoHall, draw_at: str) -> HallSetup:
    return HallSetup(
        hall=hall.id,
        name=hall.name,
        level=hall.level,
        parent=hall.parent,
        # A demo is started at night, too, and on New Year's Day.
        hours=Hours.always(),
        holidays="none",
        services=tuple(_drawn_at(service, draw_at) for service in hall.services),
        counters=tuple(
            CounterSetup(id=str(n), name=f"{n} 号窗口", services=services)
            for n, (services, _) in enumerate(hall.counters, 1)
        ),
    )


def _strips(hall: DemoHall, place: Place) -> list[DeviceSetup]:
    strips, unit = [], 0
    for n, (_, strip) in enumerate(hall.counters, 1):
        on_bus = strip == "rtu"
        unit += on_bus
        strips.append(
            DeviceSetup(
                name=f"strip-{n}",
                profile=_STRIP_PROFILES[strip],
                address=place.serial("strips") if on_bus else place.tcp(),
                unit=unit if on_bus else 1,
                counter=str(n),
            )
        )
    return strips


def _keypads(hall: DemoHall, place: Place) -> list[DeviceSetup]:
    return [
        DeviceSetup(
            name=f"keypad-{n}",
            profile="keypad.ff68-21",
            address=place.serial("keypads"),
            unit=n,
            counter=str(n),
        )
        for n in range(1, hall.keypads + 1)
    ]


def hall_file(
    hall: DemoHall,
    tty: Path,
    pepper: Path,
    *,
    local: str | None = None,
    port: int | None = None,
    draw_at: str = "08:00",
) -> HallFile:
    """The hall's file: a strip over every counter, key-pads, a printer, and what else stands in such a hall.

    Serial lines lie in `tty`, `pepper` is its own secret for cards; `local` is the hall's own broker, `port`
    that of its pages; draws of new booking days open at `draw_at`.
    """
    place = Place(hall.id, tty, pepper, local, port)
    printer = DeviceSetup(name="printer", profile="escpos.80mm", address=place.tcp())
    devices = (*_strips(hall, place), *_keypads(hall, place), printer, *fittings(hall.level, place))
    return HallFile(hall=_setup(hall, draw_at), devices=devices)


def keypad_counters(file: HallFile) -> dict[str, str]:
    """The key-pad of each counter that has one."""
    return {d.counter: d.name for d in file.devices if d.counter and d.name.startswith("keypad-")}


def write_hall_file(file: HallFile, path: Path) -> None:
    """Write the file as a person would have: YAML, UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = file.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
    text = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=110)
    path.write_text(text, "utf-8")
