"""What an OpenAPI document says of answers that are no row of JSON: the same words for both programs."""

from typing import Any

__all__ = ["EVENTS", "PROBLEMS", "REPEATED", "text_of"]

_SCHEMA = {
    "type": "object",
    "required": ["type", "status", "title", "detail"],
    "properties": {
        "type": {"type": "string", "description": "stable slug, see docs/problems.md"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "title": {"type": "string", "description": "Chinese, for people"},
        "detail": {"type": "string", "description": "English, for people"},
    },
}
_CONTENT = {"application/problem+json": {"schema": _SCHEMA}}
#: what every route may answer beside its own answers; `title` and `detail` are stable in kind, not in words
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused, as RFC 9457 problem details; nothing has happened", "content": _CONTENT},
    503: {"description": "Cannot be done now; ask again later", "content": _CONTENT},
}
#: beside 201: the same request again makes nothing new
REPEATED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Asked and answered before: the same answer again",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
#: server-sent events, for as long as somebody listens; the schema is that of one event
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream that does not end",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "required": ["event", "data"],
                    "properties": {
                        "event": {"type": "string"},
                        "data": {"type": "string", "description": "JSON"},
                        "id": {"type": "string"},
                    },
                }
            }
        },
    }
}


def text_of(media: str) -> dict[int | str, dict[str, Any]]:
    """The answer is a text of this kind."""
    return {200: {"description": "Done", "content": {media: {"schema": {"type": "string"}}}}}
