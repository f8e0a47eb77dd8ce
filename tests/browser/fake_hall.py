"""A hall that stands still: fixed state behind the real pages, and the agent's wire around them."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from edge_agent.web import pages as web_pages
from edge_agent.web.more_pages import more_pages
from edge_agent.web.pages import pages
from hall_core.queueing.opening import opens_next
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from hall_ui.screens import Screens

ZONE = "+08:00"
SERVICES = [
    ("social", "社保医保", "Social insurance", "参保 缴费 报销 待遇", "Join, pay, claim", "A", 12, (25, 40)),
    ("household", "户籍证件", "Household & ID", "居住证 迁移 证明", "Permits, moves", "B", 5, (10, 15)),
    ("company", "企业登记", "Company registry", "设立 变更 注销", "Set up, change", "C", 3, (150, 200)),
    ("general", "综合事务", "General matters", "低保 养老 助残", "Aid, pensions", "D", 0, (0, 1)),
    ("marriage", "婚姻登记", "Marriage registry", "结婚 离婚 补证", "Certificates", "E", 0, None),
]


def stamp(seconds_ago: float = 0) -> str:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return (at + timedelta(hours=8)).replace(tzinfo=None).isoformat(timespec="milliseconds") + ZONE


def call(
    label: str, counter: str, seconds_ago: float, call_no: int = 1, state: str = "called"
) -> dict[str, Any]:
    return {
        "ticket_id": f"t-{label}",
        "label": label,
        "counter": counter,
        "call_no": call_no,
        "at": stamp(seconds_ago),
        "state": state,
    }


def counter(
    number: int, state: str = "open", ticket: str | None = None, ticket_state: str = "called"
) -> dict[str, Any]:
    return {
        "id": f"c{number}", "name": f"{number}号窗口", "state": state,
        "services": ["social", "household"] if number < 3 else ["company", "general", "social"],
        "clerk": "王老师", "reason": "午休" if state == "paused" else None,
        "ticket": {"id": f"t-{ticket}", "label": ticket, "state": ticket_state} if ticket else None,
    }  # fmt: skip


def state() -> dict[str, Any]:
    return {
        "hall": "binjiang", "name": "滨江街道政务服务中心", "business_day": "2026-11-22", "now": stamp(),
        "tz": "Asia/Shanghai", "hours": "09:00-17:00",
        "services": [
            {"id": i, "name": n, "name_en": e, "about": a, "about_en": ae, "prefix": p, "open": i != "marriage",
             "instead": "区民政局 3 楼办理" if i == "marriage" else "", "appointments": i == "social", "waiting": w, "range_min": r}
            for i, n, e, a, ae, p, w, r in SERVICES
        ],
        "counters": [counter(1, ticket="A018", ticket_state="serving"), counter(2), counter(3, ticket="B032"), counter(4, "paused"), counter(6, "closed")],
        "calls": [call("B032", "c3", 2), call("A018", "c1", 95, 2), call("A017", "c2", 200), call("C005", "c6", 320), call("D011", "c4", 400)],
        "missed": ["A015", "B030", "C003"],
        "priorities": ["elder", "pregnant", "military", "disabled"],
        "devices": [{"name": "printer-1", "kind": "printer", "profile": "escpos.80mm", "state": "online", "since": stamp(900)}],
        "uplink": {"connected": True, "unsynced": 0, "acked_at": stamp(1)},
        "stream": {"id": "01JD", "last": 812}, "state_hash": "0123456789abcdef",
    }  # fmt: skip


def setup() -> HallSetup:
    ids = [i for i, *_ in SERVICES]
    return HallSetup(
        hall="binjiang",
        name="滨江街道政务服务中心",
        level="street",
        services=tuple(ServiceSetup(id=i, name=n, prefix=p) for i, n, _, _, _, p, _, _ in SERVICES),
        counters=tuple(
            CounterSetup(id=f"c{n}", name=f"{n}号窗口", services=tuple(ids)) for n in (1, 2, 3, 4, 6)
        ),
        notice="本周六上午加开社保专场",
    )


class FakeHall:
    """`HallView` over a state that tests change with `change`; `received` are the wishes posted to it."""

    def __init__(self) -> None:
        self.public_url = "http://127.0.0.1:8080"
        self.reset()

    def reset(self) -> None:
        self.voice, self.silent, self.clerk = False, False, "王老师"
        self.now_state = state()
        self.at: str | None = None
        self.ended: dict[str, str] = {}
        self.about_ticket: dict[str, Any] = {}
        self.plan = setup()
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.refuse: dict[str, Any] | None = None
        self.sent_on: dict[str, Any] | None = None
        self.rows = [
            {"label": "A019", "service": "社保医保", "waited_min": 31, "priority": None},
            {"label": "A021", "service": "社保医保", "waited_min": 16, "priority": "elder"},
            {"label": "B033", "service": "户籍证件", "waited_min": 4, "priority": None},
        ]
        self.aside_rows = [
            {
                "ticket_id": "t-A015",
                "label": "A015",
                "service": "社保医保",
                "state": "no-show",
                "waited_min": 40,
            },
            {
                "ticket_id": "t-B030",
                "label": "B030",
                "service": "户籍证件",
                "state": "held",
                "waited_min": 22,
            },
        ]
        self.version = 0
        self.read: list[dict[str, Any]] = []

    def change(self, **parts: Any) -> None:
        self.now_state.update(parts)
        self.version += 1

    def add_call(self, row: dict[str, Any]) -> None:
        others = [c for c in self.now_state["calls"] if c["ticket_id"] != row["ticket_id"]]
        self.change(calls=[row, *others])

    def state(self) -> dict[str, Any]:
        now = datetime.fromisoformat(self.at or stamp())
        opens = opens_next(Queue(setup=self.plan), now)
        told = {"opens_next": opens.isoformat() if opens else None, "special_day": None}
        return {**copy.deepcopy(self.now_state), "now": now.isoformat(timespec="milliseconds"), **told}

    def setup(self) -> HallSetup:
        return self.plan

    def holder(self, token: str) -> dict[str, Any] | None:
        return self.ticket("t-B033") if token == "k" * 26 else None

    def line(self, counter: str) -> list[dict[str, Any]]:
        return self.rows

    def set_aside(self) -> list[dict[str, Any]]:
        return self.aside_rows

    def today(self, counter: str) -> dict[str, Any]:
        return {"served": 34, "average_min": 6, "sent_on": self.sent_on}

    def ticket(self, ticket_id: str) -> dict[str, Any] | None:
        if ticket_id in ("A018", "A019", "B032"):
            ticket_id = f"t-{ticket_id}"
        if not ticket_id.startswith("t-"):
            return None
        return {
            "ticket_id": ticket_id, "label": ticket_id[2:], "service": "social", "day": "2026-11-22", "state": self._state_of(ticket_id),
            "channel": "kiosk", "priority": "elder", "counter": "c3", "call_no": 1, "issued_at": stamp(1100),
            "effective_at": stamp(1100), "called_at": stamp(24), "started_at": stamp(10), "ended_at": self.ended.get(ticket_id),
            "ahead": None, "range_min": None, "url": f"{self.public_url}/t/{'k' * 26}", **self.about_ticket,
        }  # fmt: skip

    def staff(self, request: Request) -> str | None:
        return self.clerk

    def _state_of(self, ticket_id: str) -> str:
        rows = (c["ticket"] for c in self.now_state["counters"] if c["ticket"])
        return next((t["state"] for t in rows if t["id"] == ticket_id), "waiting")


def hall_app(hall: FakeHall, *, reasons: bool = True) -> FastAPI:
    app = FastAPI()
    _add_reads(app, hall)
    _add_wishes(app, hall)
    app.include_router(pages(hall))
    app.include_router(more_pages(hall, Screens(Path(web_pages.__file__).parent), reasons=reasons))
    return app


def _add_reads(app: FastAPI, hall: FakeHall) -> None:
    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    @app.get("/api/stream")
    async def stream() -> Response:
        if hall.silent:
            return Response(status_code=503)
        return StreamingResponse(_events(hall), media_type="text/event-stream")


def _add_wishes(app: FastAPI, hall: FakeHall) -> None:  # noqa: C901 - one door after the other
    @app.post("/api/tickets")
    async def tickets(request: Request) -> Response:
        body = await request.json()
        hall.received.append(("tickets", body))
        if hall.refuse:
            return JSONResponse(hall.refuse, hall.refuse["status"], media_type="application/problem+json")
        asked = body.get("services") or [body.get("service", "social")]
        told = {"ticket_id": "t-A019", "label": "A019", "service": asked[0], "services": asked, "ahead": 12, "range_min": [25, 40],
                "token": "k" * 26, "url": f"{hall.public_url}/t/{'k' * 26}"}  # fmt: skip
        return JSONResponse(told, 201)

    @app.post("/api/ratings", status_code=201)
    @app.post("/api/ratings/reason", status_code=201)
    async def rate(request: Request) -> Response:
        body = await request.json()
        hall.received.append((request.url.path.rpartition("/")[2], body))
        if hall.refuse:
            return JSONResponse(hall.refuse, hall.refuse["status"], media_type="application/problem+json")
        return JSONResponse({"ticket": {"label": "A018"}, "score": body.get("score")}, 201)

    @app.post("/api/tickets/{ticket}/pager")
    async def pager(ticket: str, request: Request) -> Response:
        hall.received.append((ticket, await request.json()))
        if hall.refuse:
            return JSONResponse(hall.refuse, hall.refuse["status"], media_type="application/problem+json")
        return JSONResponse({"ticket_id": f"t-{ticket}", "label": ticket, "pager": 12})

    @app.post("/api/counters/{counter}/{action}")
    async def act(counter: str, action: str, request: Request) -> Response:
        hall.received.append((action, await request.json()))
        if hall.refuse:
            return JSONResponse(hall.refuse, hall.refuse["status"], media_type="application/problem+json")
        return JSONResponse({"counter": hall.now_state["counters"][0], "ticket": None})

    @app.post("/login")
    async def login(request: Request) -> Response:
        form = await request.form()
        if form["password"] != "right":
            return JSONResponse({"title": "请先登录"}, 401)
        hall.clerk = str(form["user"])
        return RedirectResponse(str(form["next"]), 303)


async def _events(hall: FakeHall) -> AsyncIterator[str]:
    sent, waited = -1, 0.0
    read = len(hall.read)
    while not hall.silent:
        for reading in hall.read[read:]:
            read += 1
            yield f"event: device\ndata: {json.dumps(reading)}\n\n"
        if sent != hall.version:
            sent = hall.version
            yield f"event: snapshot\ndata: {json.dumps(hall.state())}\n\n"
        if waited >= 5:
            waited = 0
            yield f"event: beat\ndata: {json.dumps({'at': stamp()})}\n\n"
        await asyncio.sleep(0.02)
        waited += 0.02
