"""Errors over HTTP as RFC 9457 problem details: a stable `type`, a sentence in Chinese and one in English."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hall_core.errors import BadRequest, Refused

__all__ = ["MEDIA_TYPE", "install_problems", "problem"]

MEDIA_TYPE = "application/problem+json"

_SLUGS = {404: "not-found", 405: "method-not-allowed"}
_TITLES = {404: "没有这个地址", 405: "此地址不支持该方法"}


def problem(body: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """The response for one problem; its `status` is the HTTP status."""
    return JSONResponse(body, status_code=body["status"], headers=headers, media_type=MEDIA_TYPE)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    headers = {"Retry-After": str(error.facts["wait_s"])} if "wait_s" in error.facts else None
    return problem(error.problem(), headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Says where and why, never repeats what was sent: it may hold a phone number."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:] if not isinstance(part, int)) or "body"
    broken = first["type"] == "json_invalid"
    body = BadRequest(what="not JSON" if broken else f"{where}: {first['msg']}").problem()
    return problem({**body, "status": 400} if broken else body)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    slug = _SLUGS.get(error.status_code, "http-error")
    title = _TITLES.get(error.status_code, "请求未执行")
    body = {"type": slug, "status": error.status_code, "title": title, "detail": str(error.detail)}
    return problem(body, dict(error.headers) if error.headers else None)


def install_problems(app: FastAPI) -> None:
    """Make every refusal, malformed request and unknown address a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
