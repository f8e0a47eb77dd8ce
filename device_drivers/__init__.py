"""Drivers: one file or folder per device family; its name is its registration."""

from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from device_drivers.bus import BusPool
from hall_core.clock import Clock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.errors import ProfileInvalid

__all__ = ["BusPool", "families", "open_driver"]

#: what all families share and is no family
_SHARED = {"bus", "golden", "health", "json_text", "options", "pictures", "recognising", "redacting"}


def families() -> tuple[str, ...]:
    """The device families there are drivers for."""
    return tuple(sorted({module.name for module in iter_modules(__path__)} - _SHARED))


def open_driver(setup: DeviceSetup, profile: Profile, buses: BusPool, clock: Clock) -> Driver:
    """A driver for the device, to be entered with `async with`.

    Raises ProfileInvalid or SettingsInvalid when profile or hall file are wrong; touches no wire yet.
    """
    if profile.family not in families():
        raise ProfileInvalid(
            f"{profile.id}.yaml: family: 没有系列 {profile.family!r} 的驱动，现有：{'、'.join(families())}"
            " (remedy: name one of these families)"
        )
    module = import_module(f"device_drivers.{profile.family}")
    return cast("Driver", module.DeviceDriver(setup, profile.fitted(setup.firmware), buses, clock))
