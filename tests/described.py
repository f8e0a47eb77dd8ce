"""Asks an application whatever its own OpenAPI document allows, and some of what it does not allow."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction, load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SEED", "OneEvent", "done_as_described", "operations"]

#: another one every time; a failure tells it, and `API_SEED=N pytest …` asks the same again
SEED = int(os.environ.get("API_SEED") or random.randrange(2**32))
_CHECKS: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: who asks for something new gives its request a name
_KEY = "Idempotency-Key"
#: what is asked again, with other examples, until it was done once
ROUNDS = 12
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
load_all_checks()


def operations(document: dict[str, Any]) -> list[Any]:
    """Every operation of the document, as parameters of a test."""
    schema = schemathesis.openapi.from_dict(document)
    return [result.ok() for result in schema.get_all_operations()]


class OneEvent:
    """The application; a stream of events ends after its first one."""

    def __init__(self, app: ASGIApp, before: Callable[[], Awaitable[None]]) -> None:
        self._app, self._before = app, before

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._before()
        streaming = False
        over = asyncio.Event()

        async def first(message: Message) -> None:
            nonlocal streaming
            if over.is_set():
                return
            if message["type"] == "http.response.start":
                kind = dict(message["headers"]).get(b"content-type", b"")
                streaming = kind.startswith(b"text/event-stream")
            elif streaming and message.get("body"):
                message = {**message, "more_body": False}
                over.set()
            await send(message)

        answering = asyncio.ensure_future(self._app(scope, receive, first))
        first_event = asyncio.ensure_future(over.wait())
        await asyncio.wait((answering, first_event), return_when=asyncio.FIRST_COMPLETED)
        first_event.cancel()
        if over.is_set():
            answering.cancel()
            await asyncio.wait((answering,))
        else:
            await answering


def done_as_described(
    operation: Any, ask: Callable[[dict[str, Any], str], httpx2.Response], **how: Any
) -> bool:
    """Whether what it describes was also done once (2xx), within some rounds of `as_described`."""
    for round_ in range(ROUNDS):
        if any(200 <= state < 300 for state in as_described(operation, ask, round_=round_, **how)):
            return True
    return False


def as_described(
    operation: Any,
    ask: Callable[[dict[str, Any], str], httpx2.Response],
    *,
    examples: int,
    people: Sequence[str],
    known: Callable[[], Mapping[str, Sequence[Any]]],
    round_: int = 0,
) -> list[int]:
    """Ask one operation many times; returns the answers' states.

    `people` are who may ask; `known` values stand in for seven of eight made-up ones of the same name,
    and those under an operation's own name for one of three bodies.
    """
    seen: list[int] = []
    common = list(HealthCheck)

    @seed(SEED + round_)
    @settings(max_examples=examples, database=None, phases=[Phase.generate], suppress_health_check=common)
    @given(st.data())
    def once(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(_MODES)) if _refusable(operation) else GenerationMode.POSITIVE
        case = data.draw(operation.as_strategy(generation_mode=mode))
        _put_known(data, case, known())
        response = ask(_request(case), data.draw(st.sampled_from(people)))
        seen.append(response.status_code)
        assert response.status_code < 500 or response.status_code == 503, (SEED, response.text)
        case.validate_response(response, checks=_CHECKS)

    once()
    return seen


def _refusable(operation: Any) -> bool:
    """Something can be wrong with a question that has parts."""
    return bool(list(operation.iter_parameters()) or operation.body)


def _put_known(data: st.DataObject, case: Any, known: Mapping[str, Sequence[Any]]) -> None:
    for values in (case.path_parameters, case.query, case.headers, case.body):
        if not isinstance(values, dict):
            continue
        for name in list(values):
            if known.get(name) and data.draw(st.integers(0, 7)):
                values[name] = data.draw(st.sampled_from(known[name]))
    if known.get(case.operation.label) and not data.draw(st.integers(0, 2)):
        case.body = data.draw(st.sampled_from(known[case.operation.label]))
    named = {parameter.name for parameter in case.operation.iter_parameters()}
    if _KEY in named and data.draw(st.integers(0, 7)):
        case.headers[_KEY] = data.draw(st.sampled_from(known[_KEY]))


def _request(case: Any) -> dict[str, Any]:
    """What a client is told to send."""
    sent = case.as_transport_kwargs(base_url="http://hall.example")
    kept = ("method", "url", "headers", "params", "json")
    request = {name: sent[name] for name in kept if sent.get(name) is not None}
    if sent.get("data") is not None:
        request["content" if isinstance(sent["data"], str | bytes) else "data"] = sent["data"]
    request["headers"] = {k: v for k, v in request["headers"].items() if k.lower() != "user-agent"}
    return request
