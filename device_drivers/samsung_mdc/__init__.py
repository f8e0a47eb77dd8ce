"""Family `samsung_mdc`: Samsung large displays and plasmas (MDC), over TCP 1515 or RS-232."""

from device_drivers.samsung_mdc.driver import DeviceDriver

__all__ = ["DeviceDriver"]
