"""Refusals over HTTP: RFC 9457 problem details, `type` is the stable slug."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from hall_core.errors import BadRequest, Refused

__all__ = ["install_problems"]

MEDIA = "application/problem+json"


def _problem(error: Refused, status: int | None = None) -> JSONResponse:
    body = error.problem()
    body["status"] = status or error.status
    return JSONResponse(body, status_code=status or error.status, media_type=MEDIA)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _problem(error)


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    broken = first["type"] == "json_invalid"
    what = "not JSON" if broken else f"{where or 'body'}: {first['msg']}"
    return _problem(BadRequest(what=what), 400 if broken else None)


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    slug = "not-found" if error.status_code == 404 else "not-allowed"
    body = {"type": slug, "status": error.status_code, "title": error.detail, "detail": error.detail}
    return JSONResponse(body, status_code=error.status_code, media_type=MEDIA, headers=error.headers)


def install_problems(app: FastAPI) -> None:
    """Answer every refusal with problem details."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _no_route)
