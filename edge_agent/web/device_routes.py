"""What staff may have a device do, and the protocols of its self-tests."""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from edge_agent.self_tests import SelfTests, do_now
from edge_agent.web.view import View
from hall_core.devices.vocabulary import Capability, Restart
from hall_core.errors import DeviceCannot, DeviceSaidNo, UnknownDevice

__all__ = ["device_routes"]

logger = logging.getLogger(__name__)


def device_routes(view: View, tests: SelfTests) -> APIRouter:
    """`/api/devices/{name}/…`, for staff."""
    router = APIRouter()
    guard, devices = view.guard, tests.devices
    restarting: set[str] = set()

    @router.post("/api/devices/{name}/restart")
    async def restart(name: str, clerk: Annotated[str, Depends(guard.required)]) -> dict[str, Any]:
        """Restart a terminal's computer, or load a screen's page anew; answers what came of it.

        409 when the device refuses or cannot, 503 when it does not answer and nothing was done.
        """
        keeper = devices.keeper(name)
        if keeper is None:
            raise UnknownDevice(device=name[:40], known=", ".join(k.setup.name for k in devices.keepers))
        if not keeper.can(Capability.RESTART):
            raise DeviceCannot(device=name)
        if name in restarting:
            raise DeviceSaidNo(device=name, why="正在重启，请稍候 (it is restarting)")
        restarting.add(name)
        try:
            logger.info("restart device=%s by=%s", name, clerk)
            outcome = await do_now(keeper, Restart(job_id=tests.new_id()), devices)
        finally:
            restarting.discard(name)
        return {"device": name, "outcome": outcome.value}

    @router.post("/api/devices/{name}/self-test")
    async def self_test(name: str, clerk: Annotated[str, Depends(guard.required)]) -> dict[str, Any]:
        """Test a terminal now; answers the protocol when the test has ended, after half a minute at most."""
        protocol = await tests.test(name, clerk)
        return protocol.model_dump(mode="json")

    @router.get("/api/devices/{name}/self-tests")
    async def self_tests(
        name: str, _: Annotated[str, Depends(guard.required)], limit: int = Query(default=60, ge=1, le=500)
    ) -> list[dict[str, Any]]:
        """The protocols of the last 60 days, newest first: `{at, by, outcome, passed, findings}`."""
        return [protocol.model_dump(mode="json") for protocol in tests.protocols(name)[:limit]]

    return router
