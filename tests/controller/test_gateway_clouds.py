"""Gateways over HTTP on real sockets: Aliyun, Tencent, webhook, WeChat."""

from base64 import b64encode
from contextlib import asynccontextmanager

import pytest

from controller.gateways.address import GatewayUrl
from controller.gateways.aliyun import AliyunGateway
from controller.gateways.opening import gateway_for
from controller.gateways.tencent import TencentGateway
from controller.gateways.webhook import WebhookGateway
from controller.gateways.wechat import WechatGateway
from controller.use_cases.ports import Asked, Busy, Fate, Receipt, Taken
from hall_core.clock import SystemClock
from hall_core.errors import GatewayRejected, GatewayUnknown, SettingsInvalid
from simulators.sms_aliyun import aliyun_app
from simulators.sms_tencent import tencent_app
from simulators.sms_webhook import webhook_app
from simulators.sms_wechat import Platform, wechat_app
from tests.controller.houses import a_house, a_number, a_parcel, running
from tests.controller.serving import served

SIGN = "滨江政务"
SECRET = b64encode(b"a secret of our own").decode()
OPENID = "oQuiethall" + "x" * 18
TEMPLATES = "plain=1&called=SMS_1"


def a_url(scheme, where, options):
    host = where.removeprefix("http://")
    return GatewayUrl.read(f"{scheme}://id:{SECRET.replace('=', '%3D')}@{host}{options}")


@asynccontextmanager
async def aliyun(house, secret=SECRET):
    async with (
        served(aliyun_app(house, "id", secret)) as where,
        AliyunGateway(a_url("aliyun", where, f"?{TEMPLATES}"), SystemClock(), SIGN) as made,
    ):
        yield made


@asynccontextmanager
async def tencent(house, secret=SECRET, more=""):
    async with served(tencent_app(house, "id", secret, "1400")) as where:
        url = a_url("tencent", where, f"?plain=1&app=1400&called=1110{more}")
        async with TencentGateway(url, SystemClock(), SIGN) as made:
            yield made


@asynccontextmanager
async def webhook(house, secret=SECRET, more="&ask=1"):
    async with (
        served(webhook_app(house, secret)) as where,
        WebhookGateway(a_url("webhook", where, f"/notices?plain=1{more}"), SystemClock()) as made,
    ):
        yield made


KINDS = {"aliyun": aliyun, "tencent": tencent, "webhook": webhook}


@pytest.fixture
def house():
    return a_house()


@pytest.fixture(params=KINDS)
async def gateway(request, house):
    async with KINDS[request.param](house) as made:
        yield made


def asked_about(parcel, taken=None):
    now = SystemClock().now()
    return Asked(parcel.client_ref, taken.provider_id if taken else "", parcel.to, now)


async def found_as(gateway, asked, fate):
    """Ask until the house says so."""
    found = None

    async def ask():
        nonlocal found
        try:
            found = await gateway.find(asked)
        except GatewayUnknown:
            found = None
        return found is not None and found.fate is fate

    for _ in range(200):
        if await ask():
            return found
    raise AssertionError(found)


async def test_a_notice_is_taken_under_our_reference(gateway, house):
    taken = await gateway.send(a_parcel())
    assert isinstance(taken, Taken)
    (message,) = house.messages
    assert message["client_ref"] == "t1.called.1"
    assert "A018" in message["text"]
    assert "3号窗口" in message["text"]


@pytest.mark.parametrize(("fault", "fate"), [("", Fate.DELIVERED), ("undelivered", Fate.FAILED)])
async def test_what_became_of_a_notice_is_told_when_asked(gateway, house, fault, fate):
    if fault:
        house.faults.switch_on(fault)
    parcel = a_parcel()
    taken = await gateway.send(parcel)
    await found_as(gateway, asked_about(parcel, taken), fate)


async def test_an_unknown_notice_is_found_by_our_reference_alone(gateway, house):
    house.faults.switch_on("accept-then-cut")
    parcel = a_parcel("t7.called.1")
    with pytest.raises(GatewayUnknown):
        await gateway.send(parcel)
    house.faults.clear()
    await gateway.send(a_parcel("t8.called.1", to=parcel.to))
    await found_as(gateway, asked_about(parcel), Fate.DELIVERED)


async def test_what_the_house_never_saw_is_not_found_or_not_known(gateway):
    parcel = a_parcel("never.called.1")
    if isinstance(gateway, TencentGateway):  # it only tells of what the carrier has reported
        with pytest.raises(GatewayUnknown):
            await gateway.find(asked_about(parcel))
    else:
        assert await gateway.find(asked_about(parcel)) is None


async def test_a_house_that_asks_for_less_has_not_taken_it(gateway, house):
    house.faults.switch_on("throttle")
    outcome = await gateway.send(a_parcel())
    assert isinstance(outcome, Busy)
    assert not outcome.down
    assert house.messages == []


async def test_a_number_s_limit_and_a_wrong_number_are_final(gateway, house):
    with pytest.raises(GatewayRejected):
        await gateway.send(a_parcel(to="+8612"))
    house.faults.switch_on("limit")
    with pytest.raises(GatewayRejected):
        await gateway.send(a_parcel())
    assert house.messages == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_secret_is_ours_to_mend_and_loses_no_notice(kind, house):
    wrong = b64encode(b"another secret").decode()
    async with KINDS[kind](house, secret=wrong) as gateway:
        outcome = await gateway.send(a_parcel())
    assert isinstance(outcome, Busy)
    assert outcome.down
    assert house.messages == []


@pytest.mark.parametrize("kind", ["aliyun", "tencent"])
async def test_a_kind_without_a_template_is_refused_here(kind, house):
    async with KINDS[kind](house) as gateway:
        with pytest.raises(GatewayRejected, match="no template for nearly"):
            await gateway.send(a_parcel(kind="nearly"))


async def test_a_house_that_is_not_there_has_taken_nothing():
    url = GatewayUrl.read(f"aliyun://id:{SECRET}@127.0.0.1:1?{TEMPLATES}")
    async with AliyunGateway(url, SystemClock(), SIGN) as gateway:
        assert await gateway.send(a_parcel()) == Busy("ConnectError", down=True)


async def test_tencent_s_receipts_are_fetched_by_themselves(house):
    async with tencent(house, more="&pull=1") as gateway, running(gateway) as told:
        taken = await gateway.send(a_parcel())
        assert await told.until(1) == [Receipt(Fate.DELIVERED, taken.provider_id, "t1.called.1")]


async def test_a_webhook_that_comes_twice_is_one_notice(house):
    async with webhook(house) as gateway:
        parcel = a_parcel()
        assert await gateway.send(parcel) == await gateway.send(parcel)
    assert len(house.messages) == 1


async def test_a_webhook_without_ask_cannot_be_asked(house):
    async with webhook(house, more="") as gateway:
        assert not gateway.can_ask
        with pytest.raises(GatewayUnknown):
            await gateway.find(asked_about(a_parcel()))


# -- WeChat ------------------------------------------------------------------------------------------------

FIELDS = "called=TPL&called.label=character_string1&called.counter=thing2"


@asynccontextmanager
async def wechat(house, how="template", secret=SECRET):
    platform = Platform(house, "id", SECRET, {OPENID})
    async with served(wechat_app(platform)) as where:
        host = where.removeprefix("http://")
        url = GatewayUrl.read(f"wechat://id@{host}?plain=1&as={how}&{FIELDS}", secret)
        async with WechatGateway(url, SystemClock()) as made:
            yield platform, made


@pytest.mark.parametrize("how", ["template", "subscribe"])
async def test_a_follower_gets_the_words_in_the_template_s_fields(house, how):
    async with wechat(house, how) as (_, gateway):
        long = a_parcel(
            to=OPENID, words={"label": "A018", "counter": "出入境综合业务受理和咨询服务专用窗口一二三"}
        )
        assert isinstance(await gateway.send(long), Taken)
    assert house.messages[0]["text"] == "A018 出入境综合业务受理和咨询服务专用窗口一…"


async def test_a_token_that_ended_is_renewed_and_the_notice_goes_once(house):
    async with wechat(house) as (platform, gateway):
        await gateway.send(a_parcel("t1.called.1", to=OPENID))
        platform.forget_tokens()
        assert isinstance(await gateway.send(a_parcel("t2.called.1", to=OPENID)), Taken)
    assert len(house.messages) == 2


async def test_who_does_not_follow_gets_nothing_and_it_is_final(house):
    async with wechat(house) as (_, gateway):
        with pytest.raises(GatewayRejected, match="43101"):
            await gateway.send(a_parcel(to="oSomebodyElse"))


@pytest.mark.parametrize(("fault", "down"), [("throttle", False), ("limit", True)])
async def test_a_busy_platform_or_a_used_up_quota_has_not_taken_it(house, fault, down):
    async with wechat(house) as (_, gateway):
        house.faults.switch_on(fault)
        outcome = await gateway.send(a_parcel(to=OPENID))
    assert isinstance(outcome, Busy)
    assert outcome.down is down


async def test_a_wrong_appsecret_is_ours_to_mend(house):
    async with wechat(house, secret="wrong") as (_, gateway):
        assert await gateway.send(a_parcel(to=OPENID)) == Busy("no token: 40125", down=True)


# -- URLs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://sms.example.test/v1", "https://sms.example.test"),
        ("smpp://id:secret@centre:2776?from=1", "smpp://centre:2776"),
        ("smpps://id:secret@centre?from=1", "smpps://centre"),
        ("cmpp://900001:secret@isp?from=1", "cmpp://isp"),
        ("aliyun://id:secret@dysmsapi.aliyuncs.com", "aliyun://dysmsapi.aliyuncs.com"),
        ("tencent://id:secret@sms.tencentcloudapi.com?app=1", "tencent://sms.tencentcloudapi.com"),
        ("webhook://:c2VjcmV0@city.example.test/in", "webhook://city.example.test"),
        ("wechat://id:secret@api.weixin.qq.com", "wechat://api.weixin.qq.com"),
    ],
)
async def test_a_url_names_its_gateway_and_never_its_secret(url, name):
    found, made = gateway_for(url, "", SystemClock(), SIGN)
    async with made:
        assert found == name
        assert "secret" not in repr(GatewayUrl.read(url))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "tencent://id:s@host",
        "webhook://:not base64@host",
        "smpp://",
        "cmpp://a:b@h?from=1&window=x",
    ],
)
def test_a_url_that_names_nothing_says_what_to_change(url):
    with pytest.raises(SettingsInvalid):
        gateway_for(url, "", SystemClock(), SIGN)


async def test_a_number_is_never_in_what_an_error_says(house):
    number = a_number()
    async with aliyun(house) as gateway:
        house.faults.switch_on("accept-then-cut")
        with pytest.raises(GatewayUnknown) as caught:
            await gateway.send(a_parcel(to=number))
    assert number[3:] not in repr(caught.value)
    assert number[3:] not in repr(a_parcel(to=number))
