"""Where a bus is."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from hall_core.devices.profile import Profile
from hall_core.errors import SettingsInvalid
from hall_core.hosts import is_loopback

__all__ = ["Address", "parse_address", "parse_broker"]

#: a screen's name, and where its browser finds the hall's pages
_WEB = re.compile(r"^web://([a-z0-9][a-z0-9-]{0,31})(?:@(\[[0-9a-fA-F:.]+\]|[^:/\s@]+)(?::(\d{1,5}))?)?/?$")
_TCP = re.compile(r"^(tcp|rtu\+tcp)://(\[[0-9a-fA-F:.]+\]|[^:/\s]+)(?::(\d{1,5}))?/?$")


@dataclass(frozen=True, slots=True)
class Address:
    """`tcp`: the device's own; `rtu+tcp`: a line behind a transparent server; `serial`: a line here.

    `mqtt`, `mqtts`: a broker, with `path` the device's name there. Written out it shows no password.
    `web`: a browser that opens the hall's pages under the name `path`.
    """

    scheme: Literal["tcp", "rtu+tcp", "serial", "mqtt", "mqtts", "web"]
    host: str = ""
    port: int = 0
    path: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shared_wire(self) -> bool:
        """True when silence separates frames and a late answer can meet the next question."""
        return self.scheme != "tcp"

    @property
    def at_broker(self) -> bool:
        """True when the device is reached over a message broker."""
        return self.scheme in ("mqtt", "mqtts")

    def __str__(self) -> str:
        if self.scheme == "web":
            return f"web://{self.path}"
        if self.at_broker:
            return f"{self.scheme}://{self.user}{'@' * bool(self.user)}{self.host}:{self.port}"
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
    if text.startswith(("mqtt://", "mqtts://")):
        return parse_broker(text)
    if text.startswith("web://"):
        return _web(text, profile)
    found = _TCP.match(text)
    if not found:
        raise SettingsInvalid(
            f"地址 {text} 不正确，应为 tcp://主机:端口、rtu+tcp://主机:端口、mqtt://主机/名称 或"
            " serial:///dev/ttyX (bad address)"
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


def _web(text: str, profile: Profile) -> Address:
    found = _WEB.match(text)
    if not found or not 0 <= int(found[3] or 0) < 65536:
        raise SettingsInvalid(
            f"地址 {text} 不正确，应为 web://屏幕名称，名称用小写字母、数字和短横线"
            " (write web://NAME with small letters, digits and dashes)"
        )
    name, host, port = found.groups()
    default = profile.tcp.port if profile.tcp else 0
    return Address("web", host=(host or "127.0.0.1").strip("[]"), port=int(port or default), path=name)


def parse_broker(text: str) -> Address:
    """Read the address of a broker, or of a device at one. Raises SettingsInvalid, without the password."""
    parts = urlsplit(text)
    shown = f"{parts.scheme}://…@{_place(parts)}"
    try:
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
    except ValueError:
        port = 0
    if not parts.hostname or not port or parts.scheme not in ("mqtt", "mqtts"):
        raise SettingsInvalid(
            f"地址 {shown} 不正确，应为 mqtt://用户:口令@主机:端口/名称 (bad broker address)"
        ) from None  # the library's error quotes the whole address
    if not (parts.username and parts.password) and not is_loopback(parts.hostname):
        raise SettingsInvalid(
            f"地址 {shown}：另一台机器上的消息服务必须有用户名和口令，请写 {parts.scheme}://用户:口令@主机:端口/名称"
            " (a broker on another machine needs user:password in the address)"
        )
    return Address(
        "mqtts" if parts.scheme == "mqtts" else "mqtt",
        host=parts.hostname,
        port=port,
        path=parts.path.strip("/"),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _place(parts: SplitResult) -> str:
    """The address without who may enter."""
    return parts.netloc.rpartition("@")[2] + parts.path
