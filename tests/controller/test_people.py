"""Who may come in: every door, every kind of visitor."""

import asyncio
import re

import pytest
from starlette.routing import Route

from controller.use_cases import people as people_module
from controller.web.services import SESSION_COOKIE
from tests.controller.web import web_of

OPEN = {
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/asyncapi.json",
    "/docs",
    "/login",
    "/static/{path:path}",
    "/h/{hall}",
    "/api/public/halls",
    "/api/public/halls/{hall}/draws",
    "/api/public/draws/{draw}",
    "/api/v1/time",
    "/api/receipts/{door}",  # the address itself is the secret
}


@pytest.fixture
async def web(centre):
    async with web_of(centre) as made:
        yield made


#: what no program does: people answer for it by name
FOR_PEOPLE = re.compile(
    r"(PUT|DELETE) /api/calendar/.*|POST /api/(rating-cases|appeals)/.*|\w+ /api/halls/haitang/manager-phone"
)


def doors(web) -> list[tuple[str, str]]:
    """Every method and path of the API that is not a citizen's or a page."""
    found = []
    for path, methods in web.app.openapi()["paths"].items():
        if path not in OPEN and not path.startswith("/api/t/"):
            found += [(method.upper(), path.replace("{hall}", "haitang")) for method in methods]
    return found


async def test_no_door_but_the_open_ones_opens_without_a_key(web):
    assert len(doors(web)) >= 10
    for method, path in doors(web):
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"X-API-Key": "wrong"},
            {"Cookie": f"{SESSION_COOKIE}=x"},
        ):
            answer = await web.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "login-needed"), (method, path)


async def test_a_key_or_a_session_opens_every_door(web):
    await web.login()
    session = {"Cookie": f"{SESSION_COOKIE}={web.client.cookies[SESSION_COOKIE]}"}
    web.client.cookies.clear()
    for method, path in doors(web):
        if path == "/api/stream":
            continue  # has no end; the running program is asked for it elsewhere
        for headers in (web.bearer, {"X-API-Key": web.key}, session):
            answer = await web.client.request(method, path, headers=headers)
            if FOR_PEOPLE.fullmatch(f"{method} {path}") and headers is not session:
                assert answer.status_code == 403, (method, path, headers)
            else:
                assert answer.status_code not in (401, 403), (method, path, headers)


async def test_the_dashboard_is_for_people_who_are_logged_in(web):
    assert (await web.client.get("/")).status_code == 303
    assert (await web.login()).status_code == 303
    assert (await web.client.get("/")).status_code == 200
    await web.client.post("/logout")
    assert (await web.client.get("/")).status_code == 303


async def test_a_login_cookie_is_for_the_browser_alone(web):
    cookie = (await web.login()).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_a_wrong_password_and_a_wrong_name_are_told_alike(web):
    wrong = await web.login("wrong")
    nobody = await web.login("wrong", user="nobody")
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.text == nobody.text
    assert SESSION_COOKIE not in web.client.cookies


async def test_guessing_is_stopped_before_anything_is_hashed(web, monkeypatch):
    hashed = []
    monkeypatch.setattr(people_module, "_verify", lambda *_: hashed.append(1) or False)
    codes = [(await web.login("wrong")).status_code for _ in range(20)]
    assert codes == [401] * people_module.TRIES + [429] * (20 - people_module.TRIES)
    assert len(hashed) == people_module.TRIES
    # Others come in meanwhile, and so does the guesser's address after a while.
    monkeypatch.undo()
    assert await web.people.login("chief", web.password, "198.51.100.7")
    web.centre.clock.advance(people_module.TRY_EVERY_S)
    assert (await web.login()).status_code == 303


async def test_a_session_ends_by_itself_and_by_logging_out(web):
    await web.login()
    assert (await web.client.get("/api/halls")).status_code == 200
    web.centre.clock.advance(people_module.SESSION_LASTS.total_seconds())
    assert (await web.client.get("/api/halls")).status_code == 401
    await web.login()
    secret = web.client.cookies[SESSION_COOKIE]
    await web.client.post("/logout")
    answer = await web.client.get("/api/halls", headers={"Cookie": f"{SESSION_COOKIE}={secret}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 422),
        ({"Origin": "http://centre.test"}, 422),
        ({}, 422),
    ],
)
async def test_another_site_cannot_use_a_session(web, headers, status):
    await web.login()
    path = "/api/halls/haitang/tickets"
    answer = await web.client.post(path, json={"service": "household"}, headers=headers)
    assert answer.status_code == status
    # A key is never sent by a browser on its own: where it comes from does not matter.
    with_key = await web.client.post(path, json={"service": "household"}, headers={**headers, **web.bearer})
    assert with_key.status_code == 422


async def test_another_site_cannot_log_somebody_in(web):
    answer = await web.login(**{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert SESSION_COOKIE not in web.client.cookies


async def test_passwords_keys_and_sessions_are_kept_as_digests_only(web):
    await web.login()
    secret = web.client.cookies[SESSION_COOKIE]
    admin = web.centre.one("ADMINS")
    assert admin["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    stored = str([web.centre.rows(name) for name in ("ADMINS", "SESSIONS", "API_KEYS")])
    assert not any(x in stored for x in (secret, web.key, web.password))


async def test_a_new_password_ends_all_sessions(web):
    await web.login()
    web.centre.database.write_now(lambda tx: people_module.add_admin(tx, "chief", web.centre.clock))
    assert (await web.client.get("/api/halls")).status_code == 401


async def test_many_addresses_guessing_at_once_hash_two_at_a_time(web, monkeypatch):
    running, most = 0, 0

    def slow(*_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        running -= 1
        return False

    monkeypatch.setattr(people_module, "_verify", slow)
    async with asyncio.TaskGroup() as group:
        for n in range(30):
            group.create_task(_fail(web.people, f"198.51.100.{n}"))
    assert 1 <= most <= people_module.HASHERS


async def _fail(people, address):
    with pytest.raises(people_module.LoginNeeded):
        await people.login("chief", "wrong", address)


def test_every_route_of_the_api_is_in_the_description(web):
    hidden = {r.path for r in web.app.routes if isinstance(r, Route)} - set(web.app.openapi()["paths"])
    assert not [path for path in hidden if path.startswith("/api/")]
