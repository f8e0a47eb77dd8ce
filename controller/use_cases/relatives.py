"""A relative, who is told when nobody answers the call: their number, sealed for one ticket."""

from controller.use_cases.phones import PhoneBox
from hall_core.queueing.fact_base import SealedPhone

__all__ = ["for_other_ticket", "named"]


def named(phones: PhoneBox, relative: str | None, ticket_id: str, holder: str | None) -> SealedPhone | None:
    """The relative of this ticket; nobody when it is the holder's own number. Raises PhoneInvalid."""
    if relative is None or relative == holder:
        return None
    sealed = phones.seal(relative, ticket_id)
    return SealedPhone(ticket_id=ticket_id, phone_sealed=sealed, phone_tail=relative[-2:])


def for_other_ticket(phones: PhoneBox, relative: SealedPhone | None, ticket_id: str) -> SealedPhone | None:
    """The same one; nobody when the number was erased meanwhile."""
    if relative is None or relative.phone_sealed is None:
        return None
    sealed = phones.reseal(relative.phone_sealed, relative.ticket_id, ticket_id)
    return relative.model_copy(update={"ticket_id": ticket_id, "phone_sealed": sealed})
