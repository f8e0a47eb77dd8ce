"""The end of an unattended run: the day is brought to its end, the outboxes drain, every source is read."""

import asyncio
from typing import Any

from hall_core.clock import Clock
from simulators.demo_ledger import Ledger
from simulators.demo_stage import Stage
from simulators.demo_table import Teller
from simulators.demo_town import HallDoors
from simulators.report import HallRecord

__all__ = ["drain", "drawn", "offline_states", "records", "until_nobody_waits"]

_DRAIN_S = 45.0
_LOOK_S = 0.25
_QUIET_S = 5.0


async def until_nobody_waits(stage: Stage, within_s: float) -> None:
    """Until every line is empty, or the time is up."""
    try:
        async with asyncio.timeout(within_s):
            while await _waiting(stage):  # noqa: ASYNC110 — other programs have no event for us
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return


async def _waiting(stage: Stage) -> int:
    states = [await door.agent.state() for door in stage.doors]
    return sum(service["waiting"] for state in states for service in state["services"])


async def drain(stage: Stage, clock: Clock, tell: Teller) -> None:
    """Until every agent's facts are acknowledged, or 45 s have gone: then the report will show the rest."""
    began = clock.monotonic()
    try:
        async with asyncio.timeout(_DRAIN_S):
            while await _unsynced(stage):  # noqa: ASYNC110 — other programs have no event for us
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        left = await _unsynced(stage)
        tell.warn(
            f"{_DRAIN_S:.0f} 秒后仍有 {left} 条未同步 / {left} facts are unsynced after {_DRAIN_S:.0f} s"
        )
        return
    took = clock.monotonic() - began
    tell.say(f"全部同步（{took:.1f} 秒）", f"everything is synchronised ({took:.1f} s)")


async def _unsynced(stage: Stage) -> int:
    states = [await door.agent.state() for door in stage.doors]
    return sum(int(state["uplink"]["unsynced"]) for state in states)


async def records(stage: Stage, at_start: dict[str, int]) -> tuple[HallRecord, ...]:
    """What every source holds of every hall."""
    return tuple([await _record(stage, door, at_start[door.id]) for door in stage.doors])


async def offline_states(stage: Stage, ledger: Ledger) -> dict[str, str | None]:
    """What the citizens see now whose numbers the controller gave while their hall was offline, by link."""
    tokens = [t.token for t in ledger.tickets if t.series == "offline"]
    return {token: await stage.controller.citizen(token) for token in tokens}


async def drawn(stage: Stage, ledger: Ledger) -> tuple[dict[str, str | None], dict[str, dict[str, Any]]]:
    """What those see who registered for a draw, by link, and those draws, by id."""
    states = {e.token: await stage.controller.citizen(e.token) for e in ledger.registered}
    draws = {e.draw for e in ledger.registered}
    return states, {draw: dict((await stage.controller.draw(draw)).body) for draw in draws}


async def _record(stage: Stage, door: HallDoors, at_start: int) -> HallRecord:
    hashes = await _hashes(stage, door)
    journal = [fact async for fact in door.agent.facts()]
    copy = [fact async for fact in stage.controller.facts(door.id)]
    return HallRecord(door.id, journal, copy, at_start, hashes)


async def _hashes(stage: Stage, door: HallDoors) -> tuple[str | None, str | None]:
    """The state hashes of both sides, once they are of the same fact."""
    try:
        async with asyncio.timeout(_QUIET_S):
            while True:
                here, there = await door.agent.state(), await stage.controller.hall(door.id)
                if here["stream"]["last"] == there["stream"]["applied"]:
                    return here["state_hash"], there["state_hash"]
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        return None, None
