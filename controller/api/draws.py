"""`/api/draws` and `/api/public/.../draws`: registering for a new booking day, and the proof of its order."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from controller.api.deps import HallId, IdempotencyKey, PartsDep, Who, idempotency
from controller.use_cases.draws import WISHES, DrawRequest, draw_view, draws_view, register
from hall_core.errors.described import REPEATED

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["draws"])

DrawId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class RegistrationBody(BaseModel):
    """Who takes part, and the beginnings of the slots they would take, the dearest first."""

    model_config = ConfigDict(extra="forbid")

    wishes: Annotated[list[AwareDatetime], Field(min_length=1, max_length=WISHES)]
    phone: Annotated[str, Field(pattern=r"^1[3-9]\d{9}$", repr=False)]
    channel: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,16}$")] = "web"
    priority: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,32}$")] = None


@router.post("/draws/{draw}/registrations", status_code=201, responses=REPEATED)
async def take_part(
    draw: DrawId, body: RegistrationBody, parts: PartsDep, who: Who, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Take part, once for each person. The same key and body again: 200 with the same one; another body: 409.

    When in the window somebody registers makes no difference. The link tells the outcome.
    """
    key = idempotency(idempotency_key)
    await parts.people.channels.admit_new(who.program, key)
    asked = DrawRequest(**{**body.model_dump(), "channel": who.channel(body.channel)})
    made = await register(parts.context, draw, asked, owner=who.name, key=key)
    return JSONResponse(made.registration, 200 if made.repeated else 201)


@router.get("/public/halls/{hall}/draws")
async def draws(hall: HallId, parts: PartsDep, response: Response) -> list[dict[str, Any]]:
    """A hall's draws, for everybody: to come, running, and those of the last seven days."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return await draws_view(parts.context, hall)


@router.get("/public/draws/{draw}")
async def one_draw(draw: DrawId, parts: PartsDep, response: Response) -> dict[str, Any]:
    """One draw, for everybody: `commitment` (SHA-256 of the seed) from a day before; `seed`, `registrations`
    and `order` once it is made. `order` is `registrations` sorted by HMAC-SHA256(seed, registration id).
    """
    response.headers["Access-Control-Allow-Origin"] = "*"
    return await draw_view(parts.context, draw)
