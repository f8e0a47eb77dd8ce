"""What the controller told this box last: its public address and the key phones are sealed to."""

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hall_core.errors import WireError

__all__ = ["Site", "SiteFile"]

logger = logging.getLogger(__name__)


class Site(BaseModel):
    """The desired document `site`; `rev` rises with each change."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rev: int = 0
    phone_key: str = ""
    public_url: str = ""
    slip_key: str = ""
    override_key: str = Field(default="", pattern=r"^([A-Za-z0-9+/]{43}=)?$", repr=False)


class SiteFile:
    """Keeps the document over a restart without an uplink."""

    def __init__(self, path: Path, public_url: str) -> None:
        self._path, self._public_url = path, public_url.rstrip("/")
        self.site = Site.model_validate_json(path.read_bytes()) if path.exists() else Site()

    def take(self, rev: int, body: dict[str, object]) -> None:
        """Follow a document that is not older than the present one. Raises WireError."""
        if rev < self.site.rev:
            return
        try:
            wanted = Site.model_validate({**body, "rev": rev})
        except ValidationError as error:
            msg = "desired document site is malformed"
            raise WireError(msg) from error
        if wanted == self.site and self._path.exists():
            return
        self.site = wanted
        fresh = self._path.with_suffix(".new")
        try:
            # It holds keys: for this program's eyes only.
            fresh.touch(0o600)
            fresh.write_text(wanted.model_dump_json(), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            # It is in use all the same: a full disk must not cost the hall its uplink.
            logger.warning("site document not kept path=%s reason=%s", self._path, error.strerror)

    @property
    def public_url(self) -> str:
        """Where citizens reach the controller, without a slash at the end; empty while nobody has said."""
        return (self.site.public_url or self._public_url).rstrip("/")

    def ticket_url(self, token: str) -> str:
        """Where the holder of a ticket looks it up; empty while no address is known."""
        return f"{self.public_url}/t/{token}" if self.public_url else ""
