"""For machines that watch machines: `/healthz /readyz /metrics /asyncapi.json`."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from controller.api.asyncapi import asyncapi
from controller.api.deps import Parts, PartsDep, Who
from controller.store import alarms as alarm_store
from hall_core.errors.described import text_of

__all__ = ["router"]

router = APIRouter(tags=["health"])
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "Says which one does not", "content": {"application/json": {"schema": {}}}}
}


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The program runs."""
    return {"status": "ok"}


@router.get("/readyz", responses=_NOT_READY)
async def readyz(parts: PartsDep) -> JSONResponse:
    """200 when database and broker answer, else 503 with which one does not."""
    checks = {"database": await parts.context.database.alive(), "broker": parts.listener.connected}
    ready = all(checks.values())
    return JSONResponse({"status": "ready" if ready else "not-ready", **checks}, 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses=text_of("text/plain"))
async def metrics(parts: PartsDep, _: Who) -> Response:
    """Figures for Prometheus."""
    await _look(parts)
    return Response(parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _look(parts: Parts) -> None:
    context, figures = parts.context, parts.metrics
    halls = list(context.live)
    figures.halls.set(len(halls))
    figures.halls_online.set(sum(1 for hall in halls if hall.online))
    missing = sum(max(0, hall.last - context.live.queue_of(hall).applied) for hall in halls)
    figures.facts_missing.set(missing)
    figures.wishes_open.set(context.sender.unacknowledged())
    figures.alarms_open.set(await context.database.read(alarm_store.open_count))
    figures.watchers.set(len(context.hub))
    figures.broker_connected.set(int(parts.listener.connected))


@router.get("/asyncapi.json")
async def asyncapi_json() -> dict[str, Any]:
    """The MQTT interface."""
    return asyncapi()
