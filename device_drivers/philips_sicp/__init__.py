"""Family `philips_sicp`: Philips professional displays (SICP), over TCP 5000 or RS-232."""

from device_drivers.philips_sicp.driver import DeviceDriver

__all__ = ["DeviceDriver"]
