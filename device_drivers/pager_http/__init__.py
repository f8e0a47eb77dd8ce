"""Family `pager_http`: pager gateways that take a page as one HTTP GET, such as baycom/rps."""

from device_drivers.pager_http.driver import DeviceDriver

__all__ = ["DeviceDriver"]
