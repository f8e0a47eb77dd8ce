"""A controller that stands still: fixed halls and numbers behind the real pages."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from controller.web.pages import pages
from controller.web.services import SESSION_COOKIE, Ask, Opinion
from hall_core.clock import SystemClock
from hall_core.errors import IllegalTransition, LoginNeeded, Refused, UnknownDraw, UnknownHall, UnknownTicket
from tests.browser.fake_hall import counter, stamp, state

TOKEN = "k" * 26
ZONE = ZoneInfo("Asia/Shanghai")
PLACE = {
    "address": "滨江区江南大道 100 号",
    "address_en": "100 Jiangnan Avenue, Binjiang",
    "lat": 30.208,
    "lon": 120.212,
}


def hall(hall_id: str, name: str, level: str, parent: str | None, **changes: Any) -> dict[str, Any]:
    now = state()
    return {
        "id": hall_id, "name": name, "level": level, "parent": parent, "online": True, "last_seen": stamp(4), "stale": False,
        "place": PLACE, "hours": "09:00-17:00", "priorities": ["elder", "pregnant", "military", "disabled", "urgent"],
        "services": services(), "counters": now["counters"], "calls": now["calls"], "waiting": 20, "unsynced": 0,
        "devices": [device("strip-1", "strip", "online"), device("printer-1", "printer", "online")],
        "state_hash": "0123456789abcdef", "stream": {"id": "01JDABCDEFGHJKMNPQRSTVWXYZ", "applied": 812}, "longest_min": 31, **changes,
    }  # fmt: skip


def services() -> list[dict[str, Any]]:
    return [
        {**s, "appointments": s["id"] in ("social", "household", "marriage")} for s in state()["services"]
    ]


def device(name: str, kind: str, now: str, detail: str = "") -> dict[str, Any]:
    profiles = {"strip": "modbus.led-strip-generic", "printer": "escpos.80mm", "keypad": "keypad.ff68-21"}
    return {
        "name": name,
        "kind": kind,
        "profile": profiles[kind],
        "state": now,
        "since": stamp(5400),
        "detail": detail,
        "counter": "c1",
    }


def halls() -> list[dict[str, Any]]:
    faulty = [
        device("strip-1", "strip", "unconfirmed"),
        device("keypad-1", "keypad", "online"),
        device("printer-1", "printer", "degraded", "纸将用完"),
        device("strip-3", "strip", "offline"),
    ]
    few = [counter(1), counter(2, "closed")]
    return [
        hall("binjiang", "滨江街道政务服务中心", "street", "district-1", devices=faulty),
        hall("district-1", "滨江区行政审批服务中心", "district", None),
        hall("chunxiao", "春晓社区便民服务站", "community", "binjiang", online=False, stale=True, last_seen=stamp(12 * 60 + 5), counters=few, services=services()[:2], longest_min=None),
        hall("yingbin", "迎宾社区便民服务站", "community", "binjiang", online=False, stale=True, last_seen=None, services=[], counters=[], devices=[], calls=[], longest_min=None, stream={"id": None, "applied": 0}),
    ]  # fmt: skip


def shares(n: int, held: int, **more: Any) -> dict[str, Any]:
    """A part of the calibration."""
    width = 9.4 if n else None
    return {"n": n, "held": held, "share": held / n if n else None, "width_min": width, "sooner": (n - held) // 2,
            "later": n - held - (n - held) // 2, "unquoted": 3, **more}  # fmt: skip


class FakeDesk:
    """`OrderDesk` over values that tests change."""

    def __init__(self) -> None:
        self.told = shares(120, 101, services=[shares(80, 70, service="social"), shares(40, 31, service="household")],
                           hours=[shares(60, 55, hour=9), shares(60, 46, hour=10)])  # fmt: skip
        self.passers: list[dict[str, Any]] = []
        self.answer: dict[str, Any] | None = None

    async def passed(self, token: str) -> dict[str, Any]:
        return {"label": "A018", "n": len(self.passers), "passed": self.passers, "elsewhere": 2}

    async def order(self, hall: str, day: date | None, one: str, other: str) -> dict[str, Any]:
        calls = [
            {"at": stamp(60 * n), "label": f"A{18 - n:03}", "service": "social", "counter": "c1", "issued_at": stamp(1800 + 60 * n),
             "effective_at": stamp(1800 + 60 * n + (900 if n == 1 else 0)), "priority": "elder" if n == 1 else None, "reason": None}
            for n in range(4)
        ]  # fmt: skip
        answer = self.answer if one and other else None
        return {"hall": hall, "day": "2026-11-23", "calls": calls, "answer": answer}

    async def calibration(self, hall: str) -> dict[str, Any]:
        return self.told


class FakeFair:
    """`FairDesk` over draws that tests change."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.wishes: list[list[datetime]] = []

    async def draws(self, hall: str) -> list[dict[str, Any]]:
        return self.rows

    async def draw(self, draw_id: str) -> dict[str, Any]:
        for row in self.rows:
            if row["id"] == draw_id:
                return row
        raise UnknownDraw

    async def register(self, draw_id: str, ask: Ask, wishes: Sequence[datetime], address: str) -> str:
        self.wishes.append(list(wishes))
        return TOKEN

    async def appeals(self, hall: str | None, state: str | None, *, limit: int) -> list[dict[str, Any]]:
        return []


class FakeCentre:
    """`Services` over values that tests change."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.public_url = "http://127.0.0.1:8080"
        self.reset()

    def reset(self) -> None:
        self.who: str | None = "李主任"
        self.all = halls()
        self.acts: list[tuple[str, ...]] = []
        self.relatives: list[str | None] = []
        self.forms: dict[str, Ask] = {}
        self.refusal: Refused | None = None
        self.desk = FakeDesk()
        self.fair = FakeFair()
        self.open_alarms = [
            self.alarm(3, "binjiang", "打印机 printer-1 纸将用完，请更换 80 mm 热敏纸", "Printer printer-1: paper low, change the 80 mm roll", 14),
            self.alarm(2, "binjiang", "3号窗口条屏 strip-3 失联，请检查电源和网线", "Strip strip-3 does not answer", 38),
        ]  # fmt: skip
        self.mine = {
            "label": "A018", "state": "waiting", "ahead": 12, "range_min": [25, 40], "counter": None, "updated_at": stamp(3),
            "stale": False, "hall": "binjiang", "service": "social", "series": "hall",
        }  # fmt: skip

    def alarm(self, number: int, where: str, text: str, text_en: str, minutes: int) -> dict[str, Any]:
        return {"id": number, "kind": "device", "hall": where, "subject": "printer-1", "text": text, "text_en": text_en,
                "opened_at": stamp(minutes * 60), "closed_at": None, "count": number}  # fmt: skip

    async def viewer(self, request: Request) -> str | None:
        return self.who or ("李主任" if request.cookies.get(SESSION_COOKIE) == "s3" else None)

    async def login(self, user: str, password: str, address: str) -> str:
        if password != "right":
            raise LoginNeeded
        return "s3"

    async def logout(self, secret: str) -> None:
        self.who = None

    async def halls(self) -> list[dict[str, Any]]:
        return self.all

    async def hall(self, hall: str) -> dict[str, Any]:
        for row in self.all:
            if row["id"] == hall:
                return row
        raise UnknownHall(hall=hall)

    async def ticket(self, token: str) -> dict[str, Any]:
        if token != TOKEN:
            raise UnknownTicket(ticket=token)
        return self.mine

    async def act(self, token: str, action: str, key: str, address: str) -> None:
        self.refuse()
        if self.mine["state"] == "serving":
            raise IllegalTransition(label=self.mine["label"], state="serving", action=action)
        self.acts.append((action, token))
        self.mine["state"] = {
            "cancel": "cancelled",
            "check-in": "waiting",
            "postpone": "waiting",
            "later": "waiting",
        }[action]

    async def check_in(self, token: str, relative: str | None, key: str, address: str) -> None:
        self.relatives.append(relative)
        await self.act(token, "check-in", key, address)

    async def public_halls(self) -> list[dict[str, Any]]:
        return self.all

    async def days(self, hall: str, service: str, day: date | None) -> dict[str, Any]:
        today = self.clock.now().astimezone(ZONE).date()
        days = [today + timedelta(days=n) for n in range(8)]
        chosen = day if day in days else days[1]
        return {"today": today, "day": chosen, "days": [{"day": d, "left": 0 if n == 2 else 30 - n} for n, d in enumerate(days)],
                "slots": slots(chosen), "earlier": None, "later": days[-1] + timedelta(days=1)}  # fmt: skip

    async def take(self, hall: str, ask: Ask, address: str) -> str:
        self.refuse()
        self.forms.setdefault(ask.key, ask)
        return TOKEN

    async def book(self, hall: str, ask: Ask, starts_at: datetime, address: str) -> str:
        token = await self.take(hall, ask, address)
        self.mine = self.booked(starts_at)
        return token

    def booked(self, starts_at: datetime, state: str = "booked") -> dict[str, Any]:
        return {"label": None, "state": state, "ahead": None, "range_min": None, "counter": None, "updated_at": stamp(3), "stale": False,
                "hall": "binjiang", "service": "social", "series": "hall",
                "appointment": {
                    "starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(minutes=30)).isoformat(), "code": "048213",
                    "check_in_from": (starts_at - timedelta(minutes=15)).isoformat(), "keeps_until": (starts_at + timedelta(minutes=10)).isoformat(),
                }}  # fmt: skip

    async def reschedule(self, token: str, starts_at: datetime, key: str, address: str) -> None:
        self.refuse()
        self.acts.append(("reschedule", token))
        self.mine = self.booked(starts_at)

    async def rate(self, token: str, visit: Opinion, key: str, address: str) -> None:
        self.refuse()
        words = (visit.comment,) if visit.comment else ()
        self.acts.append(("rate", str(visit.score), *visit.reasons, *words))
        self.mine["rating"] = {"score": visit.score}

    def refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def tickets(self, hall: str, *, limit: int = 20) -> list[dict[str, Any]]:
        kinds = [
            ("A019", "waiting", "web"),
            ("B033", "waiting", "kiosk"),
            ("B032", "called", "kiosk"),
            ("A018", "serving", "wechat"),
            ("A015", "no-show", "kiosk"),
            ("C002", "finished", "kiosk"),
        ]
        return [
            {"ticket_id": f"t-{label}", "label": label, "service": "social", "state": now, "channel": channel,
             "counter": "c1" if now != "waiting" else None, "issued_at": stamp(600 * n)}
            for n, (label, now, channel) in enumerate(kinds)
        ]  # fmt: skip

    async def alarms(self, *, hall: str | None = None, open_only: bool = True) -> list[dict[str, Any]]:
        return [a for a in self.open_alarms if hall in (None, a["hall"])]

    async def notice_counts(self) -> dict[str, int]:
        return {"accepted": 41, "delivered": 388, "pending": 2, "unknown": 1, "suppressed": 17}

    async def ratings(self, *, hall: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        return []


def slots(day: date) -> list[dict[str, Any]]:
    first = datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=9)
    return [
        {"starts_at": at.isoformat(), "ends_at": (at + timedelta(minutes=30)).isoformat(), "places": 4, "left": (n * 3) % 5}
        for n in range(14)
        for at in [first + timedelta(minutes=30 * n)]
    ]  # fmt: skip


def centre_app(centre: FakeCentre) -> FastAPI:
    app = FastAPI()

    @app.get("/api/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_once(), media_type="text/event-stream")

    app.include_router(pages(centre))
    return app


async def _once() -> AsyncIterator[str]:
    yield "retry: 60000\n\nevent: beat\ndata: {}\n\n"
