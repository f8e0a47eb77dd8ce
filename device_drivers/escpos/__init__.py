"""Family `escpos`: ticket printers that speak ESC/POS."""

from device_drivers.escpos.driver import DeviceDriver

__all__ = ["DeviceDriver"]
