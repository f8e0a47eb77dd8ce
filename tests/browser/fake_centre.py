"""A controller that stands still: fixed halls and numbers behind the real pages."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from controller.web.pages import pages
from controller.web.services import SESSION_COOKIE
from hall_core.clock import SystemClock
from hall_core.errors import IllegalTransition, LoginNeeded, UnknownHall, UnknownTicket
from tests.browser.fake_hall import counter, stamp, state

TOKEN = "k" * 26


def hall(hall_id: str, name: str, level: str, parent: str | None, **changes: Any) -> dict[str, Any]:
    now = state()
    return {
        "id": hall_id, "name": name, "level": level, "parent": parent, "online": True, "last_seen": stamp(4), "stale": False,
        "services": now["services"], "counters": now["counters"], "calls": now["calls"], "waiting": 20, "unsynced": 0,
        "devices": [device("strip-1", "strip", "online"), device("printer-1", "printer", "online")],
        "state_hash": "0123456789abcdef", "stream": {"id": "01JDABCDEFGHJKMNPQRSTVWXYZ", "applied": 812}, "longest_min": 31, **changes,
    }  # fmt: skip


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
        hall("chunxiao", "春晓社区便民服务站", "community", "binjiang", online=False, last_seen=stamp(12 * 60 + 5), counters=few, services=state()["services"][:2], longest_min=None),
        hall("yingbin", "迎宾社区便民服务站", "community", "binjiang", online=False, last_seen=None, services=[], counters=[], devices=[], calls=[], longest_min=None, stream={"id": None, "applied": 0}),
    ]  # fmt: skip


class FakeCentre:
    """`Services` over values that tests change."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.public_url = "http://127.0.0.1:8080"
        self.reset()

    def reset(self) -> None:
        self.who: str | None = "李主任"
        self.all = halls()
        self.cancelled: list[str] = []
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

    async def cancel(self, token: str) -> dict[str, Any]:
        if self.mine["state"] == "serving":
            raise IllegalTransition(label=self.mine["label"], state="serving", action="cancel")
        self.cancelled.append(token)
        self.mine["state"] = "cancelled"
        return self.mine

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


def centre_app(centre: FakeCentre) -> FastAPI:
    app = FastAPI()

    @app.get("/api/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_once(), media_type="text/event-stream")

    app.include_router(pages(centre))
    return app


async def _once() -> AsyncIterator[str]:
    yield "retry: 60000\n\nevent: beat\ndata: {}\n\n"
