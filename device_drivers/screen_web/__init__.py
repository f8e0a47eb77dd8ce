"""Family `screen_web`: browsers that show the hall's own pages."""

from device_drivers.screen_web.driver import DeviceDriver

__all__ = ["DeviceDriver"]
