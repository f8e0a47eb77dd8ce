"""A gateway's URL, read once: whose it is, where, and its options. Errors name what must be changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import random
from urllib.parse import parse_qsl, unquote, urlsplit

from hall_core.errors import SettingsInvalid

__all__ = ["GatewayUrl"]


@dataclass(frozen=True, slots=True)
class GatewayUrl:
    """`scheme://user:secret@host:port/path?options`. Its text has no secrets in it."""

    scheme: str
    user: str
    secret: str = field(repr=False)
    host: str
    port: int | None
    path: str
    options: dict[str, str]
    jitter: Callable[[], float] = field(default=random, repr=False)

    @classmethod
    def read(cls, url: str, key: str = "") -> "GatewayUrl":
        """From a setting; `key` is the secret when the URL has none. Raises SettingsInvalid."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingsInvalid(f"gateway: {error}") from error
        if not parts.hostname:
            raise SettingsInvalid(f"gateway: {parts.scheme}:// needs a host name")
        return cls(
            parts.scheme,
            unquote(parts.username or ""),
            unquote(parts.password or "") or key,
            parts.hostname,
            port,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
        )

    @property
    def name(self) -> str:
        """What notices remember it by, and what people read: no account, no secret."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host}{port}"

    def web(self, secure: str = "https") -> str:
        """The address for an HTTP client; `plain=1` leaves encryption out, for simulators."""
        scheme = "http" if self.option("plain") == "1" else secure
        port = f":{self.port}" if self.port else ""
        return f"{scheme}://{self.host}{port}"

    def option(self, name: str, default: str = "") -> str:
        """An option, or the default."""
        return self.options.get(name, default)

    def need(self, name: str) -> str:
        """An option without which it does not work. Raises SettingsInvalid."""
        found = self.option(name)
        if not found:
            raise SettingsInvalid(f"gateway {self.name}: add ?{name}=… to its URL")
        return found

    def number(self, name: str, default: int) -> int:
        """A whole number. Raises SettingsInvalid."""
        text = self.option(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) <= 6):
            raise SettingsInvalid(f"gateway {self.name}: {name} must be a number, not {text!r}")
        return int(text)

    def choice(self, name: str, known: Sequence[str]) -> str:
        """One of these words, the first when none is given. Raises SettingsInvalid."""
        found = self.option(name, known[0])
        if found not in known:
            raise SettingsInvalid(f"gateway {self.name}: {name} is one of {', '.join(known)}, not {found!r}")
        return found
