"""Where a named screen says every few seconds what it shows, and is told when to load its page anew."""

from fastapi import APIRouter, Request, Response

from device_drivers.bus import Beat, NamedScreens
from device_drivers.bus.screens import MOST_BYTES, read_beat
from edge_agent.web.security import Guard
from hall_core.errors import BadFrame, BadRequest

__all__ = ["screen_routes"]

_BODY = {"required": True, "content": {"application/json": {"schema": Beat.model_json_schema()}}}


def screen_routes(screens: NamedScreens) -> APIRouter:
    """`POST /api/screens/{name}/beat`."""
    router = APIRouter()

    @router.post("/api/screens/{name}/beat", openapi_extra={"requestBody": _BODY})
    async def beat(name: str, request: Request) -> Response:
        """What the screen shows: answered `{reload, every_s}`; `reload` when its page is an old one.

        404 for a name no screen of the hall has, 422 for a beat that is wrong or too long, 429 for too many.
        """
        Guard.same_site(request)
        screen = screens.admit(name)
        data = await _bounded(request)
        try:
            said = read_beat(data)
        except BadFrame as error:
            raise BadRequest(what=str(error)) from error
        return Response(screens.hear(screen, said), media_type="application/json")

    return router


async def _bounded(request: Request) -> bytes:
    """The body, never more of it than a beat may have. Raises BadRequest."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MOST_BYTES:
            raise BadRequest(what=f"body: longer than {MOST_BYTES} bytes")
    return data
