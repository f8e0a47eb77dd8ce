"""Which business day a box is in: it never goes back, and a doubtful clock moves it by one at most."""

from datetime import date, timedelta

__all__ = ["business_day"]


def business_day(stored: date | None, clock_day: date, *, trusted: bool) -> date:
    """The day to use, from the day stored last and the day the clock shows.

    A trusted clock may move the day forward by any number; an untrusted one by one day at most;
    none moves it back.
    """
    if stored is None or clock_day <= stored:
        return stored or clock_day
    return clock_day if trusted else min(clock_day, stored + timedelta(days=1))
