"""Why one number was called before another, and how well the waiting times told have held."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from controller.api.citizens import Token
from controller.api.deps import HallId, PartsDep, Who
from controller.use_cases.chains import chain_view, proof_view
from controller.use_cases.order import order_view, passed_view
from controller.use_cases.waits import calibration

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["order"])

Label = Annotated[str, Query(max_length=8)]


@router.get("/t/{token}/passed")
async def passed(token: Token, parts: PartsDep) -> dict[str, Any]:
    """Who came after this ticket into its line and was called before it, and why: labels only."""
    return await passed_view(parts.context, token)


@router.get("/halls/{hall}/order")
async def order(
    hall: HallId, parts: PartsDep, _: Who, day: date | None = None, one: Label = "", other: Label = ""
) -> dict[str, Any]:
    """The calls of a day, by default the present one, and why `one` was called before `other`."""
    return await order_view(parts.context, hall, day, one, other)


@router.get("/calibration")
async def waits_told(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """How many visitors were called within the range they were told with their number: `share`, by service
    and by the hour of taking it, with the ranges' mean width. Days included; the last seven without them.
    """
    return await calibration(parts.context, hall, first, last)


@router.get("/halls/{hall}/chain")
async def chain(hall: HallId, parts: PartsDep, _: Who, day: date | None = None) -> dict[str, Any]:
    """A day's calls, each chained to those before it, with what is sealed so far and the public key."""
    return await chain_view(parts.context, hall, day)


@router.get("/t/{token}/proof")
async def proof(token: Token, parts: PartsDep) -> dict[str, Any]:
    """Where this ticket's calls stand in the chain: enough to compute its head, and nothing about others."""
    return await proof_view(parts.context, token)
