"""What halls say about appointments: who has come, who has not, and what a hall would not take."""

from collections.abc import Iterable

from controller.store import appointments as store
from controller.store.promises import free_credit
from controller.use_cases.booking import BOOK_PREFIX
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from hall_core.queueing import facts as f

__all__ = ["settle_appointments"]


def settle_appointments(draft: Draft, hall: LiveHall, facts: Iterable[f.Fact]) -> None:
    """Follow the hall. It is the one that knows who stood at its door, whatever was done here meanwhile."""
    for fact in facts:
        if isinstance(fact, f.TicketIssued) and fact.appointment is not None:
            _becomes(draft, fact.appointment, "checked-in")
        elif isinstance(fact, f.AppointmentMissed):
            _becomes(draft, fact.appointment_id, "missed", only_from="booked")
        elif isinstance(fact, f.AppointmentDropped):
            if _becomes(draft, fact.appointment_id, "cancelled", only_from="booked"):
                free_credit(draft.tx, fact.appointment_id)
        elif isinstance(fact, f.WishRefused) and (fact.request_id or "").startswith(BOOK_PREFIX):
            _refused(draft, hall, fact)


def _becomes(draft: Draft, appointment_id: str, state: str, only_from: str | None = None) -> bool:
    """Gives whether it did."""
    row = store.appointment(draft.tx, appointment_id)
    does = row is not None and row["state"] in (only_from or row["state"], "refused")
    if does:
        store.change_appointment(draft.tx, appointment_id, state=state, updated_at=draft.now)
    return does


def _refused(draft: Draft, hall: LiveHall, fact: f.WishRefused) -> None:
    """The hall cannot keep what was promised here: somebody must call the citizen."""
    appointment_id = (fact.request_id or "").removeprefix(BOOK_PREFIX).partition(".")[0]
    row = store.appointment(draft.tx, appointment_id)
    if row is None or row["state"] != "booked":
        return  # given up, or checked in, before the wish came
    store.give_place(draft.tx, hall.hall, row["service"], row["starts_at"])
    store.change_appointment(draft.tx, appointment_id, state="refused", updated_at=draft.now)
    free_credit(draft.tx, appointment_id)
    when = f"{row['starts_at']:%Y-%m-%d %H:%M}Z"
    zh = f"大厅未接受 {when} 的预约（{row['code']}）：{fact.detail}，请联系预约人改期"
    en = f"The hall did not take the appointment of {when} ({row['code']}): {fact.slug}; call the citizen"
    draft.raise_alarm("appointment-refused", hall.hall, appointment_id, zh, en)
