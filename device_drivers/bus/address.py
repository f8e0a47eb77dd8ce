"""Where a bus is."""

import re
from dataclasses import dataclass
from typing import Literal

from hall_core.devices.profile import Profile
from hall_core.errors import SettingsInvalid

__all__ = ["Address", "parse_address"]

_TCP = re.compile(r"^(tcp|rtu\+tcp)://(\[[0-9a-fA-F:.]+\]|[^:/\s]+)(?::(\d{1,5}))?/?$")


@dataclass(frozen=True, slots=True)
class Address:
    """`tcp`: the device's own; `rtu+tcp`: a line behind a transparent server; `serial`: a line here."""

    scheme: Literal["tcp", "rtu+tcp", "serial"]
    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def shared_wire(self) -> bool:
        """True when silence separates frames and a late answer can meet the next question."""
        return self.scheme != "tcp"

    def __str__(self) -> str:
        return (
            f"serial://{self.path}" if self.scheme == "serial" else f"{self.scheme}://{self.host}:{self.port}"
        )


def parse_address(text: str, profile: Profile) -> Address:
    """Read an address of the hall file; the port defaults to the profile's. Raises SettingsInvalid."""
    if text.startswith("serial://"):
        if profile.serial is None:
            raise SettingsInvalid(
                f"地址 {text}：型号 {profile.id} 没有串口 (this model has no serial side; use tcp://)"
            )
        return Address("serial", path=text.removeprefix("serial://"))
    found = _TCP.match(text)
    if not found:
        raise SettingsInvalid(
            f"地址 {text} 不正确，应为 tcp://主机:端口、rtu+tcp://主机:端口 或 serial:///dev/ttyX"
            " (bad address)"
        )
    scheme, host, port = found.groups()
    default = profile.tcp.port if profile.tcp else 0
    number = int(port) if port else default
    if not 0 < number < 65536:
        raise SettingsInvalid(f"地址 {text} 缺少端口或端口超出范围 (name a port 1..65535)")
    if scheme == "tcp" and profile.tcp is None:
        raise SettingsInvalid(
            f"地址 {text}：型号 {profile.id} 没有网口，串口服务器请写 rtu+tcp:// (this model has no TCP side)"
        )
    return Address("tcp" if scheme == "tcp" else "rtu+tcp", host=host.strip("[]"), port=number)
