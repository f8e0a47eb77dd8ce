"""Family `gsm_at`: GSM modems that send short messages for the hall, spoken to with AT commands."""

from device_drivers.gsm_at.driver import DeviceDriver

__all__ = ["DeviceDriver"]
