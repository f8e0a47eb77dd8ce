"""Family `pager_pocsag`: a POCSAG transmitter on a serial line, and the pagers that hear it."""

from device_drivers.pager_pocsag.driver import DeviceDriver

__all__ = ["DeviceDriver"]
