"""National holidays and make-up working days, from the `holidays` library."""

import re
from datetime import date
from functools import lru_cache

import holidays

from hall_core.schedule.calendar import SpecialDay, Weekday

__all__ = ["make_up_days_known", "national_days"]

_WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: the library's name of a day off that is worked for on another day
_SWAPPED = re.compile(r"(\d{4}-\d{2}-\d{2})")


@lru_cache(maxsize=16)
def national_days(country: str, year: int) -> tuple[SpecialDay, ...]:
    """The year's holidays, closed, and its make-up days, each like the weekday it stands for."""
    named = holidays.country_holidays(country, years=year, language="zh_CN" if country == "CN" else None)
    english = holidays.country_holidays(country, years=year, language="en_US")
    instead = {found.group(1): day for day, name in named.items() if (found := _SWAPPED.search(name))}
    days = [
        SpecialDay(day=day, name=_SWAPPED.sub("", name)[:24], name_en=english.get(day, "")[:48], closed=True)
        for day, name in named.items()
    ]
    for day in _make_up(country, year):
        off = instead.get(day.isoformat())
        like = _WEEK[off.weekday()] if off else "fri"
        days.append(SpecialDay(day=day, name="调休上班", name_en="Make-up working day", like=like))
    return tuple(sorted(days, key=lambda special: special.day))


def make_up_days_known(country: str, year: int) -> bool:
    """True when the library knows the year's make-up days: a country announces them only weeks before."""
    return country != "CN" or bool(_make_up(country, year))


def _make_up(country: str, year: int) -> list[date]:
    table = holidays.country_holidays(country, years=year)
    # Some days that it always knows belong to other years.
    return sorted(day for day in getattr(table, "weekend_workdays", ()) if day.year == year)
