"""Family `terminal_24h`: the cabinet of a 24-hour self-service terminal and the devices in it."""

from device_drivers.terminal_24h.driver import DeviceDriver

__all__ = ["DeviceDriver"]
