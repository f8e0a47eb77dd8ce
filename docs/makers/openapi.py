"""docs/openapi-*.json: what the two HTTP applications say of themselves."""

import json
from types import SimpleNamespace
from typing import Any, cast

from controller.api.application import application
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View

__all__ = ["agent_page", "controller_page"]


def agent_page() -> str:
    """The API of one hall. The routes are described, not run: they need no hall behind them."""
    behind: Any = SimpleNamespace(guard=Guard(cast("Any", None), "hall"), hall=None, devices=None, site=None)
    return _text(web_app(cast("View", behind), new_id=str, version="1").openapi())


def controller_page() -> str:
    """The API of the controller, without the pages of people."""
    return _text(application().openapi())


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
