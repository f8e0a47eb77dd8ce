"""docs/asyncapi.json: the MQTT side, as the controller serves it at /asyncapi.json."""

import json

from controller.api.asyncapi import asyncapi

__all__ = ["page"]


def page() -> str:
    """The document as text."""
    return json.dumps(asyncapi(), ensure_ascii=False, indent=2) + "\n"
