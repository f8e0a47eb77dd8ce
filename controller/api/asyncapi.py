"""The MQTT interface as AsyncAPI 3, made from the topic table and the messages' own schemas."""

from typing import Any

from pydantic.json_schema import models_json_schema

from hall_core.wire import envelope
from hall_core.wire.topics import CONTROLLER, ROOT, TOPICS, Leaf, TopicRow

__all__ = ["asyncapi"]

_REF = "#/components/schemas/{model}"


def asyncapi() -> dict[str, Any]:
    """The whole document. `send` and `receive` are seen from the controller."""
    models: dict[str, type[envelope.Message]] = {
        row.message: getattr(envelope, row.message) for row in TOPICS
    }
    modes = [(model, "validation") for model in models.values()]
    _, schemas = models_json_schema(modes, ref_template=_REF)  # type: ignore[arg-type]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Quiethall over MQTT",
            "version": "1",
            "description": "Everything an agent writes lies under its own `up/`, everything it reads "
            "under its own `down/`. QoS 1 carries, numbered streams prove: a message is done when the "
            "receiver's Ack says so, which leaves after COMMIT.",
        },
        "defaultContentType": "application/json",
        "channels": {_name(row): _channel(row) for row in TOPICS},
        "operations": {f"{_action(row)}-{_name(row)}": _operation(row) for row in TOPICS},
        "components": {
            "messages": {
                name: {"name": name, "payload": {"$ref": _REF.format(model=name)}} for name in sorted(models)
            },
            "schemas": schemas["$defs"],
        },
    }


def _name(row: TopicRow) -> str:
    return row.leaf.value.replace("/", "-") if row.leaf is not Leaf.CONTROLLER_STATE else "controller-state"


def _action(row: TopicRow) -> str:
    return "send" if row.sender == "controller" else "receive"


def _address(row: TopicRow) -> str:
    if row.leaf is Leaf.CONTROLLER_STATE:
        return f"{ROOT}/{CONTROLLER}/{row.leaf.value}"
    tail = "/{document}" if row.leaf is Leaf.DESIRED else ""
    return f"{ROOT}/{{agent}}/{row.leaf.value}{tail}"


def _channel(row: TopicRow) -> dict[str, Any]:
    address = _address(row)
    parameters = {
        "agent": {"description": "the common name of the agent's certificate: 3 to 32 of a-z, 0-9 and -"},
        "document": {"description": "which document, for example `site`"},
    }
    used = {name: about for name, about in parameters.items() if f"{{{name}}}" in address}
    return {
        "address": address,
        "description": row.about,
        "messages": {row.message: {"$ref": f"#/components/messages/{row.message}"}},
        **({"parameters": used} if used else {}),
    }


def _operation(row: TopicRow) -> dict[str, Any]:
    return {
        "action": _action(row),
        "channel": {"$ref": f"#/channels/{_name(row)}"},
        "summary": row.about,
        "bindings": {"mqtt": {"qos": row.qos, "retain": row.retain, "bindingVersion": "0.2.0"}},
    }
