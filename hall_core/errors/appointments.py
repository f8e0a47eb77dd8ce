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
        "近期多次预约未到，{until} 之前暂停预约；仍可现场取号，如有异议请打开未到的预约申诉",
        "Missed appointments: booking is paused until {until}; take a number in the hall, or appeal",
    )


class AlreadyBooked(Refused):
    """Somebody is expected already for this service on this day: one open appointment for a person."""

    slug = "already-booked"
    zh, en = (
        "该手机号当天已预约这项业务；请打开原来的预约改时间，或先取消",
        "This number has an appointment for this service on this day; move that one, or give it up first",
    )


class IdentityNeeded(Refused):
    """Places of this service are given to people, not to whoever asks first: a mobile number is needed."""

    slug = "identity-needed"
    status = 422
    zh, en = (
        "这项业务按人预约，请填写本人手机号",
        "This service is booked by person; fill in your own mobile number",
    )


class UnknownDraw(Refused):
    """No draw with this id."""

    slug = "unknown-draw"
    status = 404
    zh, en = "没有找到这次摇号，请核对链接", "There is no such draw; check the link"


class DrawRunning(Refused):
    """The day's places are being drawn: one registers instead of booking, until the order is made."""

    slug = "draw-running"
    zh, en = (
        "当天名额正在摇号，请在 {until} 前登记；摇号结束后余下名额先到先得",
        "The places of this day are being drawn; register before {until}, what is left is then first come",
    )


class DrawNotOpen(Refused):
    """Registration has not begun, or is over."""

    slug = "draw-not-open"
    zh, en = (
        "登记时间是 {opens} 到 {until}，现在不能登记",
        "Registration is open from {opens} to {until}, not now",
    )


class AlreadyRegistered(Refused):
    """This person has registered for the draw."""

    slug = "already-registered"
    zh, en = (
        "该手机号已登记这次摇号，每人一次；请打开原来的链接查看",
        "This number is registered for this draw, once for each person; open the link you got",
    )


class UnknownAppeal(Refused):
    """No appeal with this number."""

    slug = "unknown-appeal"
    status = 404
    zh, en = "没有找到这个申诉，请刷新列表", "There is no such appeal; refresh the list"


class AppealDecided(Refused):
    """Somebody has decided this appeal otherwise."""

    slug = "appeal-decided"
    zh, en = "该申诉已由 {by} 处理，请刷新后查看", "{by} has decided this appeal; refresh to see how"
