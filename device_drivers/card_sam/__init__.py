"""Family `card_sam`: readers of second-generation ID cards (二代身份证阅读器) with a SAM-V module."""

from device_drivers.card_sam.driver import DeviceDriver

__all__ = ["DeviceDriver"]
