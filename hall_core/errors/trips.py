"""Why one number was not given for several services."""

from hall_core.errors.root import Refused

__all__ = ["AppointmentAlone", "NothingChosen", "ServiceTwice", "TooManyServices"]


class ServiceTwice(Refused):
    """One number stands for each of its services once."""

    slug, status = "service-twice", 422
    zh, en = (
        "「{name}」选了两次，同一号码每项业务只办一次，请去掉重复的",
        "{name!r} was chosen twice; one number stands for each service once",
    )


class TooManyServices(Refused):
    """More services than one number can stand for."""

    slug, status = "too-many-services", 422
    zh, en = (
        "一个号码最多办 {most} 项业务，其余的请另取一个号",
        "One number stands for {most} services at most; take another number for the rest",
    )


class AppointmentAlone(Refused):
    """An appointment's number stands for the booked service only."""

    slug, status = "appointment-alone", 422
    zh, en = (
        "预约号只办预约的业务，其他业务请另取一个号",
        "An appointment's number stands for the booked service only; take another number for the rest",
    )


class NothingChosen(Refused):
    """A form for several services was sent without one."""

    slug, status = "nothing-chosen", 422
    zh, en = "请先勾选要办的业务，再取号", "Please tick what you have come for, then take the number"
