"""Family `pjlink`: projectors and displays with PJLink class 1 or 2, over TCP 4352."""

from device_drivers.pjlink.driver import DeviceDriver

__all__ = ["DeviceDriver"]
