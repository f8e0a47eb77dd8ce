"""Why an appointment was refused."""

from hall_core.errors.root import Refused

__all__ = [
    "AppointmentNotNow",
    "AppointmentUsed",
    "BookingPaused",
    "NoSlots",
    "SlotFull",
    "UnknownAppointment",
]


class UnknownAppointment(Refused):
    """No appointment with this id, link or code in this hall today."""

    slug, status = "unknown-appointment", 404
    zh, en = (
        "没有找到这个预约，请核对预约码和大厅",
        "There is no such appointment here; check the code and the hall",
    )


class AppointmentUsed(Refused):
    """The appointment has been checked in already."""

    slug = "appointment-used"
    zh, en = "该预约已签到，号码是 {label}", "This appointment is checked in already; its number is {label}"


class AppointmentNotNow(Refused):
    """It is too early to check in, or not the day."""

    slug = "appointment-not-now"
    zh, en = (
        "还没到签到时间，请在 {opens} 之后再来签到",
        "Check-in is not open yet; come back after {opens}",
    )


class NoSlots(Refused):
    """The service gives no appointments, or none for this time."""

    slug = "no-slots"
    zh, en = (
        "业务「{service}」在所选时间不接受预约，请另选时段",
        "Service {service!r} takes no appointment at this time; choose another slot",
    )


class SlotFull(Refused):
    """All places of the slot are taken."""

    slug = "slot-full"
    zh, en = "该时段已约满，请另选时段", "This slot is full; choose another one"


class BookingPaused(Refused):
    """Who missed appointments again and again books nothing for a while."""

    slug = "booking-paused"
    zh, en = (
        "近期多次预约未到，{until} 之前暂停预约；仍可现场取号，如有异议请联系大厅",
        "Missed appointments: booking is paused until {until}; take a number in the hall, or ask there",
    )
