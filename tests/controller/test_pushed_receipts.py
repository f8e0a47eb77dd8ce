"""Receipts that gateways push over HTTP: stored before they are thanked for, whatever their order and number."""

import asyncio
import json
import logging
import sys
from base64 import b64encode
from contextlib import asynccontextmanager

import httpx2
import pytest
from typer.testing import CliRunner

from controller.api.application import application
from controller.api.deps import Parts
from controller.cli import app as cli
from controller.gateways.address import GatewayUrl
from controller.gateways.aliyun import AliyunGateway
from controller.gateways.opening import pushing_of
from controller.gateways.pushed import ALIYUN, OWN, TENCENT
from controller.gateways.tencent import TencentGateway
from controller.gateways.webhook import WebhookGateway
from controller.use_cases.bucket import Bucket
from controller.use_cases.people import People
from controller.use_cases.ports import Fate, Receipt
from controller.use_cases.providers import Breaker, NumberLimits, Provider
from controller.use_cases.receipt_doors import MOST, ReceiptDoors
from controller.use_cases.send_notices import NoticeSender
from hall_core.clock import SystemClock
from hall_core.errors import SettingsInvalid
from simulators.sms_aliyun import aliyun_app
from simulators.sms_pushing import FORMS, Pusher
from simulators.sms_tencent import tencent_app
from simulators.sms_webhook import webhook_app
from tests.controller.gateway import FakeGateway
from tests.controller.houses import a_house, a_number, a_parcel, until
from tests.controller.sending import hall_with, sending
from tests.controller.serving import served
from tests.controller.web import Link

SECRET = b64encode(b"a secret of our own").decode()
NAMES = {kind: f"{kind}://house.test" for kind in FORMS}


def real_gateways(clock):
    """By kind: the house's application, and the gateway that talks to it."""
    words = "plain=1&called=11&nearly=11&confirmation=11&postponed=11"

    def url(kind, where, more=""):
        secret = SECRET.replace("=", "%3D")
        return GatewayUrl.read(f"{kind}://id:{secret}@{where[7:]}{more}?{words.replace('=11', '=SMS_1')}")

    def of_tencent(where):
        secret = SECRET.replace("=", "%3D")
        return TencentGateway(
            GatewayUrl.read(f"tencent://id:{secret}@{where[7:]}?app=1400&{words}"), clock, "滨江政务"
        )

    return {
        "aliyun": (
            lambda house: aliyun_app(house, "id", SECRET),
            lambda where: AliyunGateway(url("aliyun", where), clock, "滨江政务"),
        ),
        "tencent": (lambda house: tencent_app(house, "id", SECRET, "1400"), of_tencent),
        "webhook": (
            lambda house: webhook_app(house, SECRET),
            lambda where: WebhookGateway(url("webhook", where, "/notices"), clock),
        ),
    }


class Office:
    """A controller's doors on a real port, with its sender at work."""

    def __init__(self, centre, provider):
        self.centre = centre
        self.sender = NoticeSender(
            centre.context, [provider], centre.metrics, jitter=lambda: 0.5, limits=NumberLimits(999, 999)
        )
        self.doors = ReceiptDoors.of(centre.context.phones, [provider], self.sender.receipts)
        self.path = f"/api/receipts/{centre.context.phones.receipt_door(provider.name)}"
        people = People(centre.database, centre.clock)
        self.app = application(Parts(centre.context, people, Link(), centre.metrics, self.doors))


@asynccontextmanager
async def office_of(centre, gateway, kind):
    provider = Provider(
        NAMES[kind], gateway, Bucket(centre.clock, per_s=999, burst=999), Breaker(centre.clock)
    )
    provider.pushing = pushing_of(NAMES[kind])
    office = Office(centre, provider)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(office.sender.run())
        async with served(office.app) as office.url:
            yield office
        task.cancel()


def states(centre):
    return {row["client_ref"]: row["state"] for row in centre.rows("NOTICES")}


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize(
    ("faults", "end"),
    [
        ((), "delivered"),
        (("undelivered",), "failed"),
        (("repeat-receipts", "reorder-receipts"), "delivered"),
        (("early-receipts", "repeat-receipts"), "delivered"),
    ],
)
async def test_what_a_house_pushes_ends_the_notice_once(centre, box, kind, faults, end):
    house = a_house()
    for fault in faults:
        house.faults.switch_on(fault)
    app, gateway_at = real_gateways(SystemClock())[kind]
    async with served(app(house)) as where, gateway_at(where) as gateway:
        # asked about it would be: only what is pushed counts here
        gateway.can_ask = False
        async with office_of(centre, gateway, kind) as office, asyncio.TaskGroup() as tasks:
            pusher = Pusher(house, FORMS[kind], office.url + office.path, again_s=0.05)
            pushing = tasks.create_task(pusher.run())
            await hall_with(centre, box, a_number()[3:], "t1", "t2", "t3")
            centre.context.notices.ring()
            await until(lambda: list(states(centre).values()) == [end] * 3)
            repeats = 2 if "repeat-receipts" in faults and "early-receipts" not in faults else 1
            await until(lambda: pusher.pushes == 3 * repeats)
            pushing.cancel()
    assert list(states(centre).values()) == [end] * 3
    assert len(house.messages) == 3
    assert pusher.refused == []
    told = centre.metrics.notices_sent.labels(end)._value.get()
    assert told == 3


@pytest.fixture
async def office(centre, box):
    """A notice was handed over; nobody has told what became of it."""
    gateway = FakeGateway(centre.clock.now, can_ask=False)
    async with office_of(centre, gateway, "aliyun") as made:
        await hall_with(centre, box, a_number()[3:], "t1")
        centre.context.notices.ring()
        await until(lambda: list(states(centre).values()) == ["accepted"])
        async with httpx2.AsyncClient(base_url=made.url) as made.http:
            yield made


def a_report(ref="t1.confirmation.0", *, success=True, biz="provider-1", code="DELIVERED"):
    return {
        "phone_number": a_number()[3:],
        "success": success,
        "err_code": code,
        "biz_id": biz,
        "out_id": ref,
    }


async def test_only_who_knows_the_address_is_believed(office, centre):
    right = office.path
    for path in (
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        f"/api/receipts/{'x' * 22}",
        "/api/receipts/x",
    ):
        answer = await office.http.post(path, json=[a_report()])
        assert answer.status_code in (404, 422), path
    assert states(centre) == {"t1.confirmation.0": "accepted"}
    other = centre.context.phones.receipt_door("aliyun://other.test")
    assert (await office.http.post(f"/api/receipts/{other}", json=[a_report()])).status_code == 404
    answer = await office.http.post(right, json=[a_report()])
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "接收成功"})
    assert states(centre) == {"t1.confirmation.0": "delivered"}


@pytest.mark.parametrize("odd", ["A\x00B", "\ud800", "A\nB"])
async def test_an_id_that_cannot_be_stored_is_none(office, centre, odd):
    rows = json.dumps([{**a_report(), "biz_id": odd, "out_id": odd}, a_report()])
    answer = await office.http.post(office.path, content=rows)
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert states(centre) == {"t1.confirmation.0": "delivered"}


async def test_whoever_does_not_know_the_address_is_not_listened_to(office):
    answer = await office.http.post(f"/api/receipts/{'x' * 22}", content=b"no JSON at all")
    assert answer.status_code == 404


async def test_a_failure_after_the_delivery_changes_nothing_and_a_delivery_after_the_failure_does(
    office, centre
):
    failed, delivered = a_report(success=False, code="MK:0005"), a_report()
    for rows, state in ([failed], "failed"), ([delivered], "delivered"), ([failed, failed], "delivered"):
        answer = await office.http.post(office.path, json=rows)
        assert answer.json()["code"] == 0
        assert states(centre) == {"t1.confirmation.0": state}


async def test_a_push_is_stored_whole_or_asked_for_again(office, centre, monkeypatch):
    async def down(*_):
        return False

    monkeypatch.setattr(office.doors, "_store", down)
    answer = await office.http.post(office.path, json=[a_report()])
    assert (answer.status_code, answer.json()["type"]) == (503, "storage-unavailable")
    assert states(centre) == {"t1.confirmation.0": "accepted"}


async def test_what_says_nothing_is_passed_over_and_its_neighbours_count(office, centre, caplog):
    nothing = [None, 7, {}, {"success": "perhaps"}, {"success": True}, {"success": True, "biz_id": "x" * 999}]
    with caplog.at_level(logging.WARNING):
        answer = await office.http.post(office.path, json=[*nothing, a_report()])
    assert answer.status_code == 200
    assert states(centre) == {"t1.confirmation.0": "delivered"}
    assert "count=6" in caplog.text


@pytest.mark.parametrize("body", [b"", b"[", b'{"a": 1}', b"[" * 200_000, b'"text"'])
async def test_what_is_no_list_is_refused(office, body):
    answer = await office.http.post(office.path, content=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "bad-request")


async def test_a_push_has_its_limits(office):
    many = await office.http.post(office.path, json=[{}] * (MOST + 1))
    assert many.status_code == 422
    large = await office.http.post(office.path, content=b" " * (1 << 20) + b"[]x")
    assert large.status_code == 422
    assert "bytes" in large.json()["detail"]


async def test_numbers_in_a_receipt_are_kept_nowhere(office, centre, caplog):
    number = a_number()[3:]
    row = a_report(success=False, code=f"black {number}") | {"phone_number": number}
    with caplog.at_level(logging.DEBUG):
        assert (await office.http.post(office.path, json=[row, {"phone_number": number}])).status_code == 200
    (notice,) = centre.rows("NOTICES")
    assert notice["state"] == "failed"
    assert number not in json.dumps([notice, *centre.rows("RECEIPTS")], default=str)
    assert number not in caplog.text


async def test_a_gateway_speaks_only_for_what_it_was_given(centre, box):
    first, second = (FakeGateway(centre.clock.now, can_ask=False) for _ in range(2))
    async with sending(centre, first) as settle:
        await hall_with(centre, box, a_number()[3:], "t1")
        await settle()
    office = Office(
        centre, Provider("second", second, Bucket(centre.clock, per_s=9, burst=9), Breaker(centre.clock))
    )
    told = Receipt(Fate.DELIVERED, "", "t1.confirmation.0")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(office.sender.run())
        assert await office.sender.receipts("second", [told])
        assert states(centre) == {"t1.confirmation.0": "accepted"}
        assert await office.sender.receipts("first", [told])
        task.cancel()
    assert states(centre) == {"t1.confirmation.0": "delivered"}


@pytest.mark.parametrize(
    ("way", "row", "receipt"),
    [
        (ALIYUN, {"success": True, "biz_id": "b^0", "out_id": "r", "err_code": "DELIVERED"}, (Fate.DELIVERED, "b^0", "r", "")),
        (ALIYUN, {"success": "false", "biz_id": "b^0", "err_code": "MK:0001"}, (Fate.FAILED, "b^0", "", "MK:0001")),
        (TENCENT, {"report_status": "SUCCESS", "sid": "s", "errmsg": "DELIVRD"}, (Fate.DELIVERED, "s", "", "")),
        (TENCENT, {"report_status": "FAIL", "sid": "s", "errmsg": "UNDELIV"}, (Fate.FAILED, "s", "", "UNDELIV")),
        (OWN, {"status": "failed", "client_ref": "r", "reason": "absent"}, (Fate.FAILED, "", "r", "absent")),
        (OWN, {"status": "accepted", "client_ref": "r"}, None),
        (TENCENT, {"report_status": "SUCCESS", "sid": True}, None),
    ],
)  # fmt: skip
def test_the_published_forms_are_read(way, row, receipt):
    assert way.read(row) == (receipt and Receipt(*receipt))


def test_gateways_that_tell_over_their_own_connection_have_no_door():
    assert [kind for kind in ("smpp", "smpps", "cmpp", "wechat") if pushing_of(f"{kind}://x")] == []


def test_the_command_prints_an_address_for_each_gateway_that_pushes(tmp_path, centre):
    place = ["receipts", "--data", str(tmp_path), "--public-url", "https://hall.example.cn/"]
    said = CliRunner().invoke(cli, [*place, "--gateway", "aliyun://id:secret@dysmsapi.aliyuncs.com"])
    door = centre.context.phones.receipt_door("aliyun://dysmsapi.aliyuncs.com")
    assert said.output == f"aliyun://dysmsapi.aliyuncs.com  https://hall.example.cn/api/receipts/{door}\n"
    for url in "smpp://id:secret@isp?from=1", "":
        refused = CliRunner().invoke(cli, [*place, *(["--gateway", url] if url else [])])
        assert isinstance(refused.exception, SettingsInvalid)
        assert "secret" not in str(refused.exception)


async def test_a_house_on_the_command_line_pushes_to_the_address_it_is_given(office, centre):
    """The whole way: `hall-sim sms --push` and the address the controller has for it."""
    command = ("-m", "simulators", "sms", "--kind", "smpp", "--push", office.url)
    program = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.PIPE)
    _, said = await program.communicate()
    assert (program.returncode, "pushes no receipts" in said.decode()) == (2, True)
    url = f"{office.url}{office.path}"
    command = (
        "-m",
        "simulators",
        "sms",
        "--kind",
        "aliyun",
        "--port",
        "0",
        "--secret",
        "secret",
        "--push",
        url,
    )
    program = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert program.stdout
    try:
        said = ""
        async with asyncio.timeout(60):
            while "ready " not in said:
                said += (await program.stdout.readline()).decode()
        where = said.split("ready ")[1].strip().removeprefix("http://")
        address = GatewayUrl.read(f"aliyun://hall:secret@{where}?plain=1&confirmation=SMS_3")
        async with AliyunGateway(address, SystemClock(), "滨江政务") as gateway:
            await gateway.send(a_parcel("t1.confirmation.0", kind="confirmation"))
        await until(lambda: states(centre) == {"t1.confirmation.0": "delivered"})
    finally:
        program.terminate()
        await program.wait()
