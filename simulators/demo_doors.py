"""The doors the demo's people go through: the HTTP interfaces of the agents and the controller."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx2

from hall_core.errors import QuiethallError

__all__ = ["AgentDoor", "Answer", "ControllerDoor", "NoAnswer", "new_client"]

_PAGE = 500
_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 2.0)


class NoAnswer(QuiethallError):
    """A program did not answer, however often it was asked: nobody knows what became of the request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of 2xx or 4xx."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """True when it was done."""
        return self.status < 300

    @property
    def problem(self) -> str:
        """The slug of the problem."""
        return str(self.body.get("type", self.status)) if isinstance(self.body, dict) else str(self.status)


def new_client() -> httpx2.AsyncClient:
    """A client for loopback: no proxies."""
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=50)
    return httpx2.AsyncClient(timeout=10.0, trust_env=False, limits=limits)


async def _ask(
    client: httpx2.AsyncClient, method: str, url: str, *, waits: tuple[float, ...] = _AGAIN_S, **options: Any
) -> Answer:
    """Ask until there is an answer; without `waits` once, for what must not be repeated. Raises NoAnswer."""
    last = ""
    for wait_s in (0.0, *waits):
        await asyncio.sleep(wait_s)
        try:
            response = await client.request(method, url, **options)
        except httpx2.TransportError as error:
            last = type(error).__name__
            continue
        if response.status_code < 500:
            return Answer(response.status_code, response.json())
        last = f"status {response.status_code}: {response.text[:200]}"
    msg = f"{method} {url}: {last}"
    raise NoAnswer(msg)


async def _pages(
    client: httpx2.AsyncClient, url: str, after: int, **options: Any
) -> AsyncIterator[dict[str, Any]]:
    query = options.pop("params", {})
    while True:
        params = {**query, "after": after, "limit": _PAGE}
        answer = await _ask(client, "GET", url, params=params, **options)
        if not answer.ok:
            msg = f"GET {url}: {answer.problem}"
            raise NoAnswer(msg)
        for fact in answer.body:
            yield fact
        if not answer.body:
            return
        after = int(answer.body[-1]["n"])


class AgentDoor:
    """One hall's agent, as its kiosk and its clerks use it."""

    def __init__(self, client: httpx2.AsyncClient, url: str, token: str) -> None:
        self._client, self.url = client, url
        self._staff = {"Authorization": f"Bearer {token}"}

    async def take(self, wish: dict[str, Any]) -> Answer:
        """Take a number. The wish carries its `request_id`, so repeating it is harmless."""
        return await _ask(self._client, "POST", f"{self.url}/api/tickets", json=wish)

    async def act(self, counter: str, action: str, wish: dict[str, Any]) -> Answer:
        """A clerk's action at a counter."""
        url = f"{self.url}/api/counters/{counter}/{action}"
        return await _ask(self._client, "POST", url, json=wish, headers=self._staff)

    async def rate(self, wish: dict[str, Any]) -> Answer:
        """A visitor's rating. The wish carries its `request_id`, so repeating it is harmless."""
        return await _ask(self._client, "POST", f"{self.url}/api/ratings", json=wish)

    async def state(self) -> dict[str, Any]:
        """The hall as it is now."""
        answer = await _ask(self._client, "GET", f"{self.url}/api/state", headers=self._staff)
        return dict(answer.body)

    def facts(self, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """The journal, to its end."""
        return _pages(self._client, f"{self.url}/api/facts", after, headers=self._staff)


class ControllerDoor:
    """The controller, as another program with an API key uses it."""

    def __init__(self, client: httpx2.AsyncClient, url: str, api_key: str) -> None:
        self._client, self.url = client, url
        self._key = {"Authorization": f"Bearer {api_key}"}

    async def take_online(self, hall: str, key: str, wish: dict[str, Any]) -> Answer:
        """Take a number from afar; `key` makes repeating harmless."""
        headers = {**self._key, "Idempotency-Key": key}
        url = f"{self.url}/api/halls/{hall}/tickets"
        return await _ask(self._client, "POST", url, json=wish, headers=headers)

    async def slots(self, hall: str, service: str, day: date) -> Answer:
        """When one may come on a day."""
        url = f"{self.url}/api/halls/{hall}/slots"
        params = {"service": service, "day": day.isoformat()}
        return await _ask(self._client, "GET", url, params=params, headers=self._key)

    async def book(self, hall: str, key: str, wish: dict[str, Any]) -> Answer:
        """Make an appointment; `key` makes repeating harmless."""
        headers = {**self._key, "Idempotency-Key": key}
        url = f"{self.url}/api/halls/{hall}/appointments"
        return await _ask(self._client, "POST", url, json=wish, headers=headers)

    async def act(self, token: str, action: str) -> Answer:
        """What the holder of a link wants done, asked once: repeating might do it twice. Raises NoAnswer."""
        return await _ask(self._client, "POST", f"{self.url}/api/t/{token}/{action}", waits=())

    async def draws(self, hall: str) -> Answer:
        """The hall's draws, for everybody."""
        return await _ask(self._client, "GET", f"{self.url}/api/public/halls/{hall}/draws")

    async def draw(self, draw: str) -> Answer:
        """One draw, for everybody."""
        return await _ask(self._client, "GET", f"{self.url}/api/public/draws/{draw}")

    async def register(self, draw: str, key: str, wish: dict[str, Any]) -> Answer:
        """Take part in a draw; `key` makes repeating harmless."""
        headers = {**self._key, "Idempotency-Key": key}
        url = f"{self.url}/api/draws/{draw}/registrations"
        return await _ask(self._client, "POST", url, json=wish, headers=headers)

    async def hall(self, hall: str) -> dict[str, Any]:
        """One hall as the controller knows it."""
        answer = await _ask(self._client, "GET", f"{self.url}/api/halls/{hall}", headers=self._key)
        return dict(answer.body)

    async def citizen(self, token: str) -> str | None:
        """The state of the ticket the citizen with this link sees; None when there is none."""
        answer = await _ask(self._client, "GET", f"{self.url}/api/t/{token}")
        return str(answer.body["state"]) if answer.ok else None

    def facts(self, hall: str, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """The controller's copy of a hall's journal, to its end."""
        url = f"{self.url}/api/facts"
        return _pages(self._client, url, after, params={"hall": hall}, headers=self._key)
