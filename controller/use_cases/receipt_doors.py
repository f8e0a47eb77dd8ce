"""Doors for gateways that push receipts: an address for each, that only it and the controller know.

The address is the right to tell, as a citizen's link is: the clouds sign none of their pushes. It follows
from the key file and the gateway's name: the same over restarts, and for every controller on one database.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from controller.use_cases.phones import PhoneBox
from controller.use_cases.ports import Receipt
from controller.use_cases.providers import Provider
from hall_core.errors import BadRequest, StorageUnavailable, UnknownReceiptAddress

__all__ = ["MOST", "ReceiptDoors"]

logger = logging.getLogger(__name__)

#: receipts in one push; the clouds send some hundred
MOST = 1000

#: stores receipts of one gateway together; True after COMMIT
Store = Callable[[str, Sequence[Receipt]], Awaitable[bool]]


async def _nowhere(_name: str, _receipts: Sequence[Receipt]) -> bool:
    return False


class ReceiptDoors:
    """The doors of a running controller, by their secrets; without any nobody is let in."""

    def __init__(self, doors: Mapping[str, Provider] = {}, store: Store = _nowhere) -> None:
        self._doors, self._store = dict(doors), store

    @classmethod
    def of(cls, phones: PhoneBox, providers: Iterable[Provider], store: Store) -> Self:
        """One for each gateway that pushes receipts."""
        pushing = [provider for provider in providers if provider.pushing is not None]
        return cls({phones.receipt_door(provider.name): provider for provider in pushing}, store)

    async def pushed(self, provider: Provider, rows: Any) -> Mapping[str, Any]:
        """What the gateway is answered, once its receipts are stored; the same push again changes nothing.

        Entries that say nothing are passed over: they would come again for ever. Raises BadRequest,
        StorageUnavailable.
        """
        assert provider.pushing is not None
        if not isinstance(rows, list) or len(rows) > MOST:
            raise BadRequest(what=f"a list of up to {MOST} receipts")
        read = [provider.pushing.read(row) if isinstance(row, dict) else None for row in rows]
        receipts = [receipt for receipt in read if receipt is not None]
        if len(receipts) < len(rows):
            logger.warning(
                "receipts not understood provider=%s count=%s", provider.name, len(rows) - len(receipts)
            )
        if receipts and not await self._store(provider.name, receipts):
            raise StorageUnavailable
        return provider.pushing.thanks

    def behind(self, door: str) -> Provider:
        """Whose door this is. Raises UnknownReceiptAddress."""
        found = None
        for known, provider in self._doors.items():
            if hmac.compare_digest(known.encode(), door.encode()):
                found = provider
        if found is None:
            raise UnknownReceiptAddress
        return found
