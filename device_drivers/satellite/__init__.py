"""Devices that hang on another box of the hall, reached over the hall's own broker."""

from device_drivers.satellite.driver import DeviceDriver

__all__ = ["DeviceDriver"]
