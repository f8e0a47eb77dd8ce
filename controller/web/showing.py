"""How halls, counters and times are shown on the controller's pages."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hall_ui.naming import in_words, together

__all__ = ["clock", "counter_name", "dated", "day_words", "names", "serving", "tile", "time_of", "time_words"]

_ZONE = ZoneInfo("Asia/Shanghai")


def tile(hall: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A hall with its status in one word, its minutes out of contact, and its devices that need somebody."""
    faulty = [d for d in hall["devices"] if d["state"] in ("degraded", "offline")]
    seen = hall["last_seen"]
    lost_min = int((now - time_of(seen)).total_seconds() // 60) if seen and not hall["online"] else 0
    away = "lost" if seen else "off"
    status = away if not hall["online"] else "part" if faulty else "ok"
    return {
        **hall,
        "status": status,
        "lost_min": max(0, lost_min),
        "faulty": faulty,
        "open_counters": sum(1 for c in hall["counters"] if c["state"] == "open"),
        "queued": sum(s["waiting"] for s in hall["services"]),
        "longest_min": hall.get("longest_min"),
    }


def names(services: list[dict[str, Any]], lang: str) -> dict[str, str]:
    """Services' names by id, in this language where there is one."""
    return {s["id"]: (s.get("name_en") if lang == "en" else "") or s["name"] for s in services}


def counter_name(hall: dict[str, Any] | None, counter: str | None, lang: str = "zh") -> str:
    """What people call a counter: `3号窗口`, `counter 3`."""
    rows = hall["counters"] if hall else []
    name = next((str(c["name"]) for c in rows if c["id"] == counter), counter or "")
    return in_words(name, lang)


def serving(hall: dict[str, Any] | None, service: str, lang: str) -> str:
    """The counters that serve this now, in one phrase."""
    rows = hall["counters"] if hall else []
    return together([c["name"] for c in rows if service in c["services"] and c["state"] != "closed"], lang)


def time_of(at: str | datetime) -> datetime:
    """A time, from its text when it is one."""
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def clock(at: str | datetime | None, now: datetime) -> str:
    """Time of day, with the day when it is not today."""
    if not at:
        return "—"
    local, today = time_of(at).astimezone(_ZONE), now.astimezone(_ZONE)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local.month}-{local.day} {local:%H:%M}"


def day_words(day: date, w: Mapping[str, Any]) -> tuple[str, str]:
    """A day's date and the day of its week, in the words of one language."""
    month = w["web"]["months"].split()[day.month - 1]
    return w["web"]["date"].format(month=month, day=day.day), w["web"]["days"].split()[day.weekday()]


def dated(day: date, w: Mapping[str, Any]) -> str:
    """`11月24日 周二`, `Tue 24 Nov`."""
    date_words, weekday = day_words(day, w)
    return str(w["web"]["dated"].format(date=date_words, day=weekday))


def time_words(starts_at: str, w: Mapping[str, Any]) -> str:
    """`11月24日 周二 09:00`, on the hall's own clock face, which the text carries."""
    at = time_of(starts_at)
    return f"{dated(at.date(), w)} {at:%H:%M}"
