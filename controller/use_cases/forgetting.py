"""One person asks to be forgotten: every row with their number loses it, and nothing more is sent to it."""

from collections import Counter
from datetime import datetime

from controller.store import erasure, sealed
from controller.store.database import Database
from controller.use_cases.phones import PhoneBox
from controller.use_cases.sealed_values import Sealed, go_over
from hall_core.errors import PhoneInvalid, SettingsInvalid

__all__ = ["forget_person", "phone_of_link"]


def phone_of_link(database: Database, phones: PhoneBox, token: str) -> str:
    """The 11 digits left with this link's ticket or appointment. Raises SettingsInvalid, PhoneInvalid."""
    found = database.read_now(lambda tx: sealed.of_link(tx, token))
    if found is None:
        raise SettingsInvalid("no number was left with this link, or it is erased already")
    return phones.unseal(*found).removeprefix("+86")


def forget_person(database: Database, phones: PhoneBox, phone: str, now: datetime) -> Counter[str]:
    """Erase this number (11 digits) wherever it is; gives how many rows, by table. Raises PhoneInvalid."""
    phones.index(phone)  # is it one at all?
    address, owners = f"+86{phone}", set[str]()

    def change(found: Sealed) -> str | None:
        # Every number kept here has its last two digits beside it, but for those of notices.
        if found.owner.startswith("manager-") or found.tail not in ("", phone[-2:]):
            return found.value
        try:
            theirs = phones.unseal(found.value, found.owner) == address
        except PhoneInvalid:
            theirs = False
        if theirs:
            owners.add(found.owner)
        return None if theirs else found.value

    gone = go_over(database, change)
    to_key = phones.fingerprint({"to": address})
    gone["notices"] += database.write_now(
        lambda tx: erasure.withdraw_notices(tx, to_key, sorted(owners), now)
    )
    return +gone
