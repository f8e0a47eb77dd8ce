"""What stands in the demo's halls beside counters: screens, pagers, a 24-hour terminal, a second box."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hall_core.devices.layout import DeviceSetup, ScreenSetup
from hall_core.schedule.hours import Hours
from simulators.demo_programs import free_port

__all__ = ["Place", "fittings"]

#: of an RS-485 board as it comes from the factory
_BOARD_UNIT = 255


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hall's devices are plugged in, and the file with the secret its ID numbers are hashed with.

    `serial` gives the address of a line by its name, `local` is the hall's own broker, `port` where its
    box serves pages; without the last two nothing stands there that needs them.
    """

    hall: str
    tty: Path
    pepper: Path
    local: str | None = None
    port: int | None = None

    def serial(self, line: str) -> str:
        """The address of a serial line of this hall."""
        return f"serial://{self.tty / f'{self.hall}-{line}'}"

    def tcp(self) -> str:
        """A port of its own."""
        return f"tcp://127.0.0.1:{free_port()}"


def fittings(level: str, place: Place) -> list[DeviceSetup]:
    """Everything of a hall of this level that belongs to no strip, key-pad or printer."""
    return _BY_LEVEL[level](place)


def _district(place: Place) -> list[DeviceSetup]:
    """A plasma whose input the board comes over, an LED wall, tablets, pagers, a terminal, a second box."""
    return [
        DeviceSetup(name="led-wall", profile="huidu.hd-a3", address=place.tcp()),
        DeviceSetup(
            name="plasma",
            profile="samsung.qm55r",
            address=place.tcp(),
            screen=ScreenSetup(input="hdmi1", volume=30),
        ),
        *(
            DeviceSetup(name=f"tablet-{n}", profile="rate.ws-tablet", address=place.tcp(), counter=str(n))
            for n in (1, 2)
        ),
        DeviceSetup(name="pagers", profile="pager.pocsag-serial", address=place.serial("pagers")),
        DeviceSetup(
            name="card-reader",
            profile="card.sam-v",
            address=place.serial("cards"),
            options={"pepper_file": str(place.pepper)},
        ),
        DeviceSetup(
            name="terminal",
            profile="terminal.h24",
            address=place.serial("terminal"),
            unit=_BOARD_UNIT,
            screen=ScreenSetup(hours=Hours.always()),
            options={
                "ups": {"address": place.serial("ups")},
                "parts": {"printer": "printer", "reader": "card-reader"},
                "self_test_at": "05:30",
            },
        ),
        *_local(
            place, "7", satellite=("gallery", "satellite.display"), panel="mqtt.display", lamp="mqtt.light"
        ),
        *_pages(place, "kiosk", "board", "terminal", "info"),
    ]


def _street(place: Place) -> list[DeviceSetup]:
    """A display, pagers with a base of their own, a sign, four-key evaluators."""
    return [
        DeviceSetup(
            name="display",
            profile="philips.43bdl4550d",
            address=place.tcp(),
            screen=ScreenSetup(input="hdmi1", volume=20),
        ),
        DeviceSetup(name="pagers", profile="pager.rps-t112", address=place.tcp()),
        DeviceSetup(
            name="evaluator-1",
            profile="keypad.ff68-evaluator",
            address=place.serial("keypads"),
            unit=101,
            counter="1",
        ),
        *_local(place, "1", lamp="mqtt.sign"),
        *_pages(place, "kiosk", "board"),
    ]


def _community(place: Place) -> list[DeviceSetup]:
    """A projector and the pages on two screens."""
    projector = DeviceSetup(name="projector", profile="pjlink.class1", address=place.tcp())
    return [projector, *_pages(place, "kiosk", "board")]


_BY_LEVEL: dict[str, Callable[[Place], list[DeviceSetup]]] = {
    "district": _district,
    "street": _street,
    "community": _community,
}


def _local(
    place: Place, counter: str, *, satellite: tuple[str, str] | None = None, panel: str = "", lamp: str = ""
) -> list[DeviceSetup]:
    """What is reached over the hall's own broker, which the halls of a demo share; nothing without one."""
    if place.local is None:
        return []
    found = []
    if satellite:
        box, profile = satellite
        address = f"{place.local}/{place.hall}-{box}/display"
        found.append(DeviceSetup(name=f"{box}-display", profile=profile, address=address))
    for name, profile in (("panel", panel), ("lamp", lamp)):
        if profile:
            address = f"{place.local}/{place.hall}-{name}"
            found.append(DeviceSetup(name=name, profile=profile, address=address, counter=counter))
    return found


def _pages(place: Place, *pages: str) -> list[DeviceSetup]:
    """Browsers that show the hall's pages and say what they show."""
    if place.port is None:
        return []
    return [
        DeviceSetup(
            name=f"page-{page}",
            profile=f"screen.{page}",
            address=f"web://{place.hall}-{page}@127.0.0.1:{place.port}",
        )
        for page in pages
    ]
