"""One page as a GET of the gateway's `/page`. Source: README and web server of baycom/rps."""

import re
import unicodedata
from typing import Literal
from urllib.parse import quote, urlencode

from pydantic import Field

from device_drivers.options import Options

__all__ = ["GatewayOptions", "Reply", "get", "page"]

Mode = Literal["lrs", "pocsag", "t112", "td164", "td161"]
_MODES: dict[Mode, int] = {"lrs": 0, "pocsag": 1, "t112": 2, "td164": 3, "td161": 4}
_TELEGRAMS = {"beep": 0, "numeric": 1, "alpha": 2}
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,9})[ \t]*\r$")


class GatewayOptions(Options):
    """What a profile of this family may say; the keys are explained in `pager.rps-lrs.yaml`."""

    mode: Mode
    #: the lowest and highest number of a pager; nobody pages them all by mistake
    lowest: int = Field(default=1, ge=0)
    highest: int = Field(gt=0)
    first_address: int = Field(default=0, ge=0)
    address_step: int = Field(default=1, ge=1)
    alert_type: int | None = Field(default=None, ge=0, le=255)
    restaurant_id: int | None = Field(default=None, ge=0, le=255)
    system_id: int | None = Field(default=None, ge=0, le=8191)
    pocsag_baud: Literal[512, 1200, 2400] = 1200
    message: Literal["beep", "numeric", "alpha"] = "alpha"
    probe_path: str = "/"
    closing_ms: int = Field(default=300, ge=0, le=2000)


class Reply:
    """Reads one answer. `asked` tells that the request left: from then on nobody knows what came of it."""

    def __init__(self) -> None:
        self.asked = False

    def read(self, data: bytes) -> int | None:
        """The status of a whole answer; of one without a length as soon as its head is there."""
        self.asked = True
        head = _HEAD.search(data)
        if head is None:
            return None
        length = _LENGTH.search(head[2])
        if length is not None and len(data) - head.end() < int(length[1]):
            return None
        return int(head[1])


def get(target: str, host: str) -> bytes:
    """A request after which the gateway closes: it serves few at a time."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii")


def page(options: GatewayOptions, pager: int, text: str, most: int) -> str:
    """The target of the request that makes a pager shake."""
    fields: dict[str, object] = {
        "force": 1,
        "mode": _MODES[options.mode],
        "pager_number": options.first_address + pager * options.address_step,
    }
    for name in ("alert_type", "restaurant_id", "system_id"):
        value = getattr(options, name)
        if value is not None:
            fields[name] = value
    if options.mode == "pocsag":
        fields["pocsag_baud"] = options.pocsag_baud
        fields["pocsag_telegram_type"] = _TELEGRAMS[options.message]
        if options.message != "beep":
            fields["message"] = _plain(text, options.message == "numeric")[:most].rstrip()
    return "/page?" + urlencode(fields, quote_via=quote)


def _plain(text: str, numeric: bool) -> str:
    """Label and counter of a sentence: pagers have no Chinese, numeric ones no letters."""
    kept = " ".join(re.findall(r"[!-~]+", unicodedata.normalize("NFKC", text)))
    return re.sub(r"[^0-9 -]", "", kept).strip() if numeric else kept
