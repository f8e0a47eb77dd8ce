"""Where the doctor looks: addresses as people write them, and who is asked there."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from device_drivers import families
from device_drivers.recognising import Asking, Listening, Unaskable, recogniser_of
from hall_core.devices.profile import Profile
from hall_core.errors import SettingsInvalid

__all__ = ["Askable", "Target", "askables", "parse_units", "targets_of", "unaskable"]

Askable = Asking | Listening

_FULL = re.compile(r"^(tcp|rtu\+tcp)://(\[[0-9a-fA-F:.]+\]|[^:/\s]+)(?::(\d{1,5}))?/?$")
_SHORT = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[^:/\s]+)(?::(\d{1,5}))?$")
_UNITS = re.compile(r"^(\d{1,3})(?:-(\d{1,3}))?$")
#: as many addresses as one look may take
_MOST_HOSTS = 256


@dataclass(frozen=True, slots=True)
class Target:
    """One address. `families`: who may stand there, in the order they are asked; `sure`: people named it."""

    address: str
    families: tuple[str, ...]
    sure: bool = True

    @property
    def shared_wire(self) -> bool:
        """Serial framing."""
        return not self.address.startswith("tcp://")


def askables() -> dict[str, Askable]:
    """Who can be found, in the order that harms nobody: speakers last, for they need people's hands."""
    found = {name: recogniser_of(name) for name in families()}
    known = {name: r for name, r in found.items() if not isinstance(r, Unaskable)}
    return dict(sorted(known.items(), key=lambda item: _order(item[1])))


def unaskable() -> dict[str, str]:
    """Who cannot be found, and what to do instead."""
    found = {name: recogniser_of(name) for name in families()}
    return {name: r.words for name, r in found.items() if isinstance(r, Unaskable)}


def _order(recogniser: Askable) -> int:
    return recogniser.order if isinstance(recogniser, Asking) else 1000


def targets_of(texts: list[str], profiles: Mapping[str, Profile]) -> list[Target]:
    """What `--scan` names: `host` (its usual ports), `host:port`, `tcp://…`, `rtu+tcp://…`, a network.

    A network is written `192.168.1.0/28`.

    Raises SettingsInvalid.
    """
    everybody = askables()
    found: list[Target] = []
    for text in texts:
        if text.startswith("serial://"):
            found.append(_at(text, everybody, profiles))
            continue
        match = _FULL.match(text)
        if match and match[3]:
            found.append(_at(f"{match[1]}://{match[2]}:{_port(match[3], text)}", everybody, profiles))
            continue
        short = None if match else _SHORT.match(text)
        if short and short[2]:
            found.append(_at(f"tcp://{short[1]}:{_port(short[2], text)}", everybody, profiles))
            continue
        for host in _hosts(match[2] if match else text):
            found += _usual_ports(host, everybody, profiles)
    return found


def _at(address: str, everybody: Mapping[str, Askable], profiles: Mapping[str, Profile]) -> Target:
    """Everybody who has the side that this address needs."""
    side = "tcp" if address.startswith("tcp://") else "serial"
    able = {p.family for p in profiles.values() if getattr(p, side) is not None}
    return Target(address, tuple(name for name in everybody if name in able))


def _usual_ports(
    host: str, everybody: Mapping[str, Askable], profiles: Mapping[str, Profile]
) -> list[Target]:
    """At its usual port only whom profiles name there is asked; behind a serial server it may be anybody."""
    by_port: dict[int, list[str]] = {}
    servers: set[int] = set()
    for name, recogniser in everybody.items():
        for port in {p.tcp.port for p in profiles.values() if p.family == name and p.tcp}:
            by_port.setdefault(port, []).append(name)
            if recogniser.behind_server:
                servers.add(port)
    return [
        _with_doubt(_at(f"rtu+tcp://{host}:{port}", everybody, profiles))
        if port in servers
        else Target(f"tcp://{host}:{port}", tuple(names), sure=False)
        for port, names in sorted(by_port.items())
    ]


def _with_doubt(target: Target) -> Target:
    return Target(target.address, target.families, sure=False)


def _hosts(text: str) -> list[str]:
    if "/" not in text:
        if not _SHORT.match(text):
            raise _wrong(text)
        return [text]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise _wrong(text) from error
    if network.num_addresses > _MOST_HOSTS:
        raise SettingsInvalid(f"--scan {text}: 一次最多 {_MOST_HOSTS} 个地址 (at most a /24 at once)")
    return [f"[{host}]" if network.version == 6 else str(host) for host in network.hosts()]


def _port(text: str, whole: str) -> int:
    if not 0 < int(text) < 65536:
        raise _wrong(whole)
    return int(text)


def _wrong(text: str) -> SettingsInvalid:
    forms = "主机、主机:端口、tcp://主机:端口、rtu+tcp://主机:端口、192.168.1.0/28"
    return SettingsInvalid(f"--scan {text}: 应为 {forms} (not an address)")


def parse_units(text: str) -> tuple[int, ...]:
    """`1-32` or `1,5,7-9`. Raises SettingsInvalid."""
    units: set[int] = set()
    for part in text.split(","):
        found = _UNITS.match(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= 247:
            raise SettingsInvalid(f"--units {text}: 应为 1..247，如 1-32 或 1,5,7-9 (not units)")
        units |= set(range(first, last + 1))
    return tuple(sorted(units))
