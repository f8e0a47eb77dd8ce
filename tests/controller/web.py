"""The HTTP application of a test's controller, asked without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from fastapi import FastAPI

from controller.api.application import application
from controller.api.deps import Parts
from controller.use_cases.people import People, add_admin, add_key
from controller.web.live_services import LiveServices
from controller.web.pages import pages
from tests.controller.centre import Centre


@dataclass
class Link:
    """Stands for the listener: whether the broker is there."""

    connected: bool = True


@dataclass
class Web:
    """A client, and what opens doors."""

    centre: Centre
    app: FastAPI
    client: httpx2.AsyncClient
    people: People
    link: Link
    password: str
    key: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def login(
        self, password: str | None = None, user: str = "chief", **headers: str
    ) -> httpx2.Response:
        form = {"user": user, "password": password or self.password}
        return await self.client.post("/login", data=form, headers=headers)


@asynccontextmanager
async def web_of(centre: Centre, admin: str = "chief", program: str = "wechat") -> AsyncIterator[Web]:
    password = centre.database.write_now(lambda tx: add_admin(tx, admin, centre.clock))
    key = centre.database.write_now(lambda tx: add_key(tx, program, centre.clock))
    people, link = People(centre.database, centre.clock), Link()
    parts = Parts(centre.context, people, link, centre.metrics)  # type: ignore[arg-type]
    app = application(parts, [pages(LiveServices(centre.context, people))])
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://centre.test") as client:
        yield Web(centre, app, client, people, link, password, key)
