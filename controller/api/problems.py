"""Problems that only the controller knows, beside those of every program (`hall_ui.problems`)."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from controller.store.database import STORAGE_DOWN
from hall_core.errors import BadRequest, StorageUnavailable
from hall_ui import problems
from hall_ui.problems import problem

__all__ = ["install_problems"]

logger = logging.getLogger(__name__)


async def _no_storage(_: Request, error: Exception) -> JSONResponse:
    logger.error("request failed, the database cannot work now reason=%s", type(error).__name__)
    body = StorageUnavailable().problem()
    return problem(
        {**body, "title": "系统暂时无法保存，请稍后再试", "detail": "The database cannot work now"}
    )


async def _beyond(_: Request, error: Exception) -> JSONResponse:
    """A date at the end of what can be written down: what lies before or after it cannot be reckoned with."""
    logger.warning("request refused: %s", error)
    return problem(BadRequest(what="a date or a number beyond all bounds").problem())


def install_problems(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    problems.install_problems(app)
    app.add_exception_handler(STORAGE_DOWN, _no_storage)
    app.add_exception_handler(OverflowError, _beyond)
