"""`/api/v1/time`: the signed time, for boxes whose own clock is wrong."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from controller.use_cases.telling_time import TimeTeller

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["health"])


@router.get("/time")
async def time(
    request: Request,
    response: Response,
    nonce: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{16,64}$")],
) -> dict[str, str]:
    """`{time, nonce, signature}`: Ed25519 (base64url) over the JSON text `["quiethall time 1",time,nonce]`
    without blanks. Also over plain HTTP, for TLS wants a right clock. Raises TooManyAttempts, TimeUnsure.
    """
    teller = request.app.state.time
    assert isinstance(teller, TimeTeller)
    response.headers["Cache-Control"] = "no-store"
    return teller.tell(nonce, request.client.host if request.client else "")
