"""Which business day a box is in: it never goes back, and a doubtful clock moves it by one at most."""

from datetime import date, timedelta

__all__ = ["business_day"]


def business_day(
    stored: date | None, clock_day: date, *, trusted: bool, trusted_day: date | None = None
) -> date:
    """The day to use, from the day stored last and the day the clock shows.

    A trusted clock may move the day forward by any number. An untrusted one moves it to the day after
    `trusted_day` at most, the last day a trusted clock opened; none moves it back.
    """
    if stored is None or clock_day <= stored:
        return stored or clock_day
    if trusted:
        return clock_day
    return max(stored, min(clock_day, (trusted_day or stored) + timedelta(days=1)))
