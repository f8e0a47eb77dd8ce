"""What a probe found."""

from dataclasses import dataclass

from hall_core.devices.vocabulary import DeviceState

__all__ = ["Probe"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A device's state and one short sentence for people."""

    state: DeviceState
    detail: str = ""
