"""The tester's wall: every simulated device drawn as itself, live, with its faults and keys, per hall.

`/halls/{hall}` is a hall's `wall_url`: the page, and below it the tester's interface (stable surface).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from hall_core.errors import BadRequest, Refused, UnknownDevice, UnknownHall
from hall_ui import STATIC, templates
from simulators.device import HISTORY, SimDevice
from simulators.faults import FAULT_WORDS, USUAL
from simulators.hall import SimulatedHall

__all__ = ["end_streams", "wall_app"]

_PAGES = Path(__file__).parent / "wall_pages"
#: a quiet stream says so often that it is there
_BEAT_S = 10.0
_LEVELS = {"district": "区", "street": "街道", "community": "社区"}


class FaultWish(BaseModel):
    """Which fault, and for how long; without `seconds` until it is cleared."""

    fault: str
    seconds: float | None = Field(default=None, ge=0, le=86_400)


class KeyWish(BaseModel):
    """Which key is pressed."""

    key: str


class Watching:
    """Which devices of a hall changed since one page last looked. Enter it, then take `next()` each time."""

    def __init__(self, hall: SimulatedHall) -> None:
        self._hall = hall
        self._fresh: dict[str, SimDevice] = {}
        self._rung = asyncio.Event()
        self.ended = False

    def __enter__(self) -> "Watching":
        for device in self._hall.devices.values():
            device.watchers.add(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for device in self._hall.devices.values():
            device.watchers.discard(self._note)

    async def next(self) -> list[SimDevice]:
        """Wait until something changed; many changes of one device count once."""
        await self._rung.wait()
        self._rung.clear()
        fresh, self._fresh = [*self._fresh.values()], {}
        return fresh

    def end(self) -> None:
        """Let whoever waits go; nothing more will come."""
        self.ended = True
        self._rung.set()

    def _note(self, device: SimDevice) -> None:
        self._fresh[device.name] = device
        self._rung.set()


def wall_app(halls: dict[str, SimulatedHall]) -> FastAPI:
    """The wall of these halls (keys are hall ids). Serve it while the halls are entered."""
    app = FastAPI(title="Quiethall simulated halls", docs_url=None, redoc_url=None)
    app.state.halls = halls
    app.state.watchings = set()
    app.add_exception_handler(Refused, _problem)
    app.add_exception_handler(RequestValidationError, _problem)
    app.include_router(_tester, prefix="/halls/{hall}/api")
    app.include_router(_pages)
    app.mount("/wall", StaticFiles(directory=_PAGES))
    app.mount("/ui", StaticFiles(directory=STATIC))
    return app


def end_streams(app: FastAPI) -> None:
    """End the event streams of open pages, so that the server may stop."""
    for watching in [*app.state.watchings]:
        watching.end()


async def _problem(_request: Request, error: Exception) -> Response:
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        error = BadRequest(what=f"{where}: {first['msg']}")
    assert isinstance(error, Refused)
    return JSONResponse(error.problem(), type(error).status, media_type="application/problem+json")


async def _hall(request: Request, hall: str) -> SimulatedHall:
    halls: dict[str, SimulatedHall] = request.app.state.halls
    if hall not in halls:
        raise UnknownHall(hall=hall)
    return halls[hall]


HallHere = Annotated[SimulatedHall, Depends(_hall)]


async def _device(hall: HallHere, name: str) -> SimDevice:
    if name not in hall.devices:
        raise UnknownDevice(device=name, known=", ".join(hall.devices))
    return hall.devices[name]


DeviceHere = Annotated[SimDevice, Depends(_device)]

_tester = APIRouter()
_pages = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@_tester.get("/devices")
async def devices(
    hall: HallHere, history: Annotated[int, Query(ge=0, le=HISTORY)] = HISTORY
) -> list[dict[str, Any]]:
    """Every device: what it shows, its history (oldest first), its faults and keys."""
    return [device.report(history) for device in hall.devices.values()]


@_tester.post("/devices/{name}/faults")
async def switch_fault_on(device: DeviceHere, wish: FaultWish) -> dict[str, Any]:
    """Switch a fault on."""
    device.fault(wish.fault, wish.seconds)
    return {"name": device.name, "faults": device.faults.active()}


@_tester.delete("/devices/{name}/faults")
async def clear_faults(device: DeviceHere, fault: str | None = None) -> dict[str, Any]:
    """End one fault, or all."""
    device.clear(fault)
    return {"name": device.name, "faults": device.faults.active()}


@_tester.post("/devices/{name}/keys")
async def press_key(device: DeviceHere, wish: KeyWish) -> dict[str, Any]:
    """Press a key."""
    device.key(wish.key)
    return {"name": device.name, "shows": device.shows()}


@_tester.get("/stream")
async def stream(request: Request, hall: HallHere) -> StreamingResponse:
    """Events `snapshot` (all devices, once) and `device` (one that changed)."""
    frames = _frames(hall, request.app.state.watchings)
    return StreamingResponse(frames, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _frames(hall: SimulatedHall, open_ones: set[Watching]) -> AsyncIterator[str]:
    with Watching(hall) as watching:
        open_ones.add(watching)
        try:
            yield _event("snapshot", [d.report(0) for d in hall.devices.values()])
            while not watching.ended:
                try:
                    async with asyncio.timeout(_BEAT_S):
                        changed = await watching.next()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                for device in changed:
                    yield _event("device", device.report(0))
        finally:
            open_ones.discard(watching)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, default=str)}\n\n"


@_tester.get("/qr.svg")
async def qr_code(text: Annotated[str, Query(max_length=1000)]) -> Response:
    """The QR code of a slip, drawn."""
    out = BytesIO()
    segno.make(text, micro=False).save(out, kind="svg", scale=4, border=2, xmldecl=False)
    return Response(out.getvalue(), media_type="image/svg+xml")


@_pages.get("/")
async def index(request: Request) -> str:
    """The halls that are simulated here."""
    halls: dict[str, SimulatedHall] = request.app.state.halls
    return _render("halls.html", request, halls=halls)


@_pages.get("/halls/{hall}")
async def wall(request: Request, hall: str, here: HallHere) -> str:
    """The wall of one hall."""
    return _render("wall.html", request, hall=here.hall, base=f"{_root(request)}/halls/{hall}")


def _render(name: str, request: Request, **facts: Any) -> str:
    page = templates(_PAGES).get_template(name)
    faults = {"words": dict(FAULT_WORDS), "usual": dict(USUAL)}
    return page.render(root=_root(request), levels=_LEVELS, faults=faults, **facts)


def _root(request: Request) -> str:
    """The path the application is mounted at, without a slash at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")
