"""Signatures of the clouds: against their vendors' published examples, and against their own clients."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx2
import pytest

from controller.gateways.signing import acs3, query_of, standard_webhook, tc3
from hall_core.clock import FixedClock
from simulators.sms_aliyun import aliyun_app
from simulators.sms_house import House
from simulators.sms_tencent import tencent_app

SIGN = "滨江政务"


def test_aliyun_s_own_example_is_reproduced():
    """help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature, "固定参数示例"."""
    image = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = query_of({"RegionId": "cn-shanghai", "ImageId": image})
    made = acs3("YourAccessKeyId", "YourAccessKeySecret", query=query, headers=headers, body=b"")
    assert made == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
        "x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tencent_s_own_example_is_reproduced():
    """cloud.tencent.com/document/api/213/30654 (signature v3), with content-type and host signed."""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"}
    key_id, key = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
    made = tc3(key_id, key, service="cvm", at=1551113065, headers=headers, body=body)
    assert made.endswith("Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")


def test_the_webhook_standard_s_own_example_is_reproduced():
    """github.com/standard-webhooks/standard-webhooks, spec and libraries' tests."""
    secret, message_id, at = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
    )
    made = standard_webhook(secret, message_id, at, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture
def recorded(request):
    def read(name):
        path = request.config.rootpath / f"tests/controller/frames/{name}.json"
        return json.loads(path.read_text("utf-8"))["requests"]

    return read


async def replayed(app, row):
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{row['headers']['host']}") as client:
        return (await client.post(row["path"], headers=row["headers"], content=row["body"].encode())).json()


async def test_the_simulated_aliyun_believes_aliyun_s_own_client_and_nobody_who_changed_a_letter(recorded):
    send, query = recorded("aliyun")
    clock = FixedClock(datetime(2026, 11, 22, 14, 16, 20, tzinfo=UTC))
    house = House("aliyun", clock)
    app = aliyun_app(house, "QuiethallKeyId", "QuiethallSecret")
    changed = send | {"path": send["path"].replace("A018", "A019")}
    assert (await replayed(app, changed))["Code"] == "SignatureDoesNotMatch"
    assert (await replayed(app, send))["Code"] == "OK"
    assert (await replayed(app, send))["Code"] == "SignatureNonceUsed"
    assert [m["text"] for m in house.messages] == ["【滨江政务】您的号码A018请到3号窗口办理。"]
    answer = await replayed(app, query)
    assert (answer["TotalCount"], answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0]["OutId"]) == (
        1,
        "t1.called.1",
    )
    clock.advance(timedelta(hours=1).total_seconds())
    assert (await replayed(app, query))["Code"] == "InvalidTimeStamp.Expired"


async def test_the_simulated_tencent_believes_tencent_s_own_client_and_nobody_who_changed_a_letter(recorded):
    (send,) = recorded("tencent")
    house = House("tencent", FixedClock(datetime.fromtimestamp(int(send["headers"]["x-tc-timestamp"]), UTC)))
    app = tencent_app(house, "QuiethallId", "QuiethallKey", "1400006666")
    changed = send | {"body": send["body"].replace("A018", "A019")}
    assert (await replayed(app, changed))["Response"]["Error"]["Code"] == "AuthFailure.SignatureFailure"
    answer = (await replayed(app, send))["Response"]["SendStatusSet"][0]
    assert (answer["Code"], answer["SessionContext"]) == ("Ok", "t1.called.1")
    assert [m["text"] for m in house.messages] == ["【滨江政务】A018 3号窗口"]


def test_our_query_is_the_one_aliyun_s_client_sends(recorded):
    send, _ = recorded("aliyun")
    words = json.dumps({"label": "A018", "counter": "3号窗口"}, ensure_ascii=False, separators=(",", ":"))
    made = query_of(
        {
            "PhoneNumbers": "0" * 7 + "4321",
            "SignName": SIGN,
            "TemplateCode": "SMS_1",
            "TemplateParam": words,
            "OutId": "t1.called.1",
        }
    )
    assert f"/?{made}" == send["path"]
