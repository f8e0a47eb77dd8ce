"""What the hall knows of its other devices: for devices that are made of several."""

from collections.abc import Callable
from dataclasses import dataclass

from hall_core.devices.vocabulary import DeviceState

__all__ = ["Neighbour", "Neighbours"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another device of the hall as it is known now."""

    name: str
    state: DeviceState
    detail: str = ""


class Neighbours:
    """Looks a device up by its name. The box that keeps the devices says how; until then nobody is known."""

    def __init__(self) -> None:
        self.look: Callable[[str], Neighbour | None] = lambda _name: None
