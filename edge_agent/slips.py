"""What a paper slip says of itself behind its holder's link, so that it counts when its record is lost.

`…/t/{token}#1.{ticket}.{service}.{label}.{day}.{second}.{class}.{signature}`: browsers keep what follows
the `#` to themselves. Several services of one number stand with `_` between them. The signature is
HMAC-SHA256 (128 bits) over hall, token and text, with the key the centre gives to all boxes of a district,
or, in a hall without a centre, with the box's own.
"""

import base64
import hmac
import os
import re
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from hall_core.errors import SlipInvalid
from hall_core.queueing.commands import ReRegister
from hall_core.queueing.facts import TicketIssued

__all__ = ["Slips"]

#: longer links make codes that old scanners cannot read: then the link goes without the rest
LONGEST = 200
_LINK = re.compile(r"(?:.*/t/)?([A-Za-z0-9_-]{8,64})#(1\.[A-Za-z0-9_.-]{1,150})")


class Slips:
    """Signs the slips of one hall, and reads them. `hall` names it, `given` is the centre's key or empty."""

    def __init__(self, hall: str, own: Path, given: Callable[[], str]) -> None:
        self._hall, self._path, self._given = hall, own, given

    def link(self, url: str, issued: TicketIssued) -> str:
        """The link for the slip's code: with the signed text where it fits, all services or the first one."""
        signed = [self._signed(url, issued, issued.visits[:n]) for n in (None, 0)]
        return next((link for link in signed if len(link) <= LONGEST and _LINK.fullmatch(link)), url)

    def _signed(self, url: str, issued: TicketIssued, visits: tuple[str, ...]) -> str:
        at = issued.issued_at or issued.at
        second = at.hour * 3600 + at.minute * 60 + at.second
        day = f"{issued.day:%y%m%d}"
        services = "_".join((issued.service, *visits))
        said = ("1", issued.ticket_id, services, issued.label, day, str(second), issued.priority or "")
        if not url or any("." in part for part in said):
            return url
        text = ".".join(said)
        return f"{url}#{text}.{self._sign(self._keys()[0], issued.token, text)}"

    def read(self, code: str, now: datetime, request_id: str) -> ReRegister:
        """The wish that a scanned slip is. Raises SlipInvalid when this hall's boxes did not sign it."""
        found = _LINK.fullmatch(code.strip())
        token, signed = (found[1], found[2]) if found else ("", "")
        text, _, signature = signed.rpartition(".")
        right = [hmac.compare_digest(self._sign(key, token, text), signature) for key in self._keys()]
        if not found or not any(right):
            raise SlipInvalid
        try:
            _, ticket_id, service, label, day, second, priority = text.split(".")
            service, *more_services = service.split("_")
            on = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
            midnight = datetime(on.year, on.month, on.day, tzinfo=now.tzinfo)
            return ReRegister(
                request_id=request_id,
                ticket_id=ticket_id,
                token=token,
                service=service,
                more_services=tuple(more_services),
                line=label[0],
                number=int(label[1:]),
                day=on,
                priority=priority or None,
                issued_at=midnight + timedelta(seconds=int(second)),
            )
        except ValueError as error:
            raise SlipInvalid from error

    def _keys(self) -> list[bytes]:
        given = self._given()
        return [*([base64.b64decode(given)] if given else []), self._own()]

    def _own(self) -> bytes:
        """The box's own key, made when it is needed first."""
        if not self._path.exists():
            fresh = self._path.with_suffix(".new")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(secrets.token_bytes(32))
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
        return self._path.read_bytes()

    def _sign(self, key: bytes, token: str, text: str) -> str:
        said = f"quiethall slip 1\n{self._hall}\n{token}\n{text}".encode()
        return base64.urlsafe_b64encode(hmac.new(key, said, sha256).digest()[:16]).decode().rstrip("=")
