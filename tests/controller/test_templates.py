"""Every kind of notice can be sent by every provider, or it is said which template is missing."""

import logging

import pytest
from typer.testing import CliRunner

from controller.cli import app
from controller.gateways.address import GatewayUrl
from controller.gateways.opening import opened_providers
from controller.gateways.templates import PROVIDERS, kinds_for, lacking, proposed, template_of
from controller.settings import load_settings
from controller.use_cases.notice_kinds import ALL_KINDS
from hall_core.errors import GatewayRejected
from hall_core.queueing.wordings import LONGEST
from simulators.sms_cli import Kind, _web
from simulators.sms_house import House

#: longer than a real label, counter or time
WORDS = {"label": "W001", "counter": "12号窗口", "time": "11月24日09:30", "hall": "海棠街道便民服务中心",
         "until": "12月01日09:30", "days": "30", "of": "2", "ahead": "12", "service": "户籍业务",
         "outcome": "申诉成立"}  # fmt: skip


def url_of(scheme, options):
    return GatewayUrl.read(f"{scheme}://id:secret@provider.test?{options}")


def whole(scheme):
    return "&".join(part for _, _, part in proposed(scheme))


@pytest.mark.parametrize("scheme", PROVIDERS)
def test_a_url_made_as_proposed_lacks_nothing_and_names_every_kind(scheme):
    url = url_of(scheme, whole(scheme))
    assert lacking(url) == []
    assert {template_of(url, kind) for kind in kinds_for(scheme)} == {"ID"}


@pytest.mark.parametrize("scheme", ["aliyun", "tencent"])
def test_a_telephone_is_told_every_kind(scheme):
    assert set(kinds_for(scheme)) == set(ALL_KINDS)


@pytest.mark.parametrize("scheme", PROVIDERS)
def test_each_kind_that_is_left_out_is_named_with_the_remedy(scheme):
    for kind in kinds_for(scheme):
        rest = "&".join(part for name, _, part in proposed(scheme) if name != kind)
        (line,) = lacking(url_of(scheme, rest))
        assert line.startswith(f"no template for {kind}: not sent. Add {kind}=ID")
        assert lacking(url_of(scheme, f"{rest}&{kind}=-")) == [], "a hall may do without"


def test_what_is_switched_off_is_refused_as_such():
    for options, why in (("called=-", "called is switched off"), ("", "no template for called")):
        with pytest.raises(GatewayRejected, match=why):
            template_of(url_of("aliyun", options), "called")


@pytest.mark.parametrize(
    ("scheme", "more", "says"),
    [
        ("aliyun", "recal=SMS_9", "recal is no kind of notice; is recall meant?"),
        ("wechat", "called.lable=thing1", "called.lable: called has no lable, but label, counter"),
    ],
)
def test_a_misspelt_kind_or_word_is_found(scheme, more, says):
    assert lacking(url_of(scheme, f"{whole(scheme)}&{more}")) == [says]


def test_a_wechat_template_without_any_field_is_found():
    parts = [part if kind != "nearly" else "nearly=ID" for kind, _, part in proposed("wechat")]
    (line,) = lacking(url_of("wechat", "&".join(parts)))
    assert line.startswith("nearly has a template and no field: add nearly.label=FIELD")


def test_gateways_without_templates_lack_nothing():
    for scheme in ("smpp", "cmpp", "webhook", "https"):
        assert lacking(url_of(scheme, "")) == []


def test_every_text_proposed_fits_one_message_when_it_is_filled():
    for kind, text, _ in proposed("aliyun"):
        words = ALL_KINDS[kind].words
        assert all(f"${{{word}}}" in text for word in words), kind
        filled = text.replace("${", "{").format_map({word: WORDS[word] for word in words})
        assert len("【滨江政务】" + filled) <= LONGEST, kind
    for kind, text, _ in proposed("tencent"):
        assert all(f"{{{n}}}" in text for n in range(1, len(ALL_KINDS[kind].words) + 1)), kind


async def test_the_start_says_what_will_not_be_sent(tmp_path, clock, caplog):
    gateway = "aliyun://id:topsecret@provider.test?called=SMS_1"
    settings = load_settings(data=tmp_path, gateway=gateway)
    with caplog.at_level(logging.WARNING):
        async with opened_providers(settings, clock):
            pass
    (line,) = [record.message for record in caplog.records if "no template" in record.message]
    assert line.startswith("gateway aliyun://provider.test: no template for ")
    assert "topsecret" not in line
    assert {"recall", "relative", "missed", "paused"} <= set(line.split(":")[2].replace(",", "").split())


def test_the_command_prints_what_to_register_and_says_what_is_missing():
    good = CliRunner().invoke(
        app, ["templates", "tencent", "--gateway", f"tencent://a:b@x.test?{whole('tencent')}"]
    )
    assert good.exit_code == 0
    assert "您家人的号码{1}已叫到" in good.output
    bad = CliRunner().invoke(app, ["templates", "tencent", "--gateway", "tencent://a:b@x.test?app=1"])
    assert bad.exit_code == 1
    assert "NOT tencent://x.test: no template for called, recall, relative" in bad.output


def test_doctor_names_the_missing_templates(tmp_path, monkeypatch):
    monkeypatch.setenv("HALL_CONTROLLER_GATEWAY", "aliyun://a:b@x.test?called=SMS_1")
    said = (
        CliRunner().invoke(app, ["doctor", "--data", str(tmp_path), "--broker", "mqtt://127.0.0.1:1"]).output
    )
    assert "NOT notices: aliyun://x.test: no template for" in said
    monkeypatch.delenv("HALL_CONTROLLER_GATEWAY")
    said = (
        CliRunner().invoke(app, ["doctor", "--data", str(tmp_path), "--broker", "mqtt://127.0.0.1:1"]).output
    )
    assert "ok  notices: no gateway, none is sent" in said


@pytest.mark.parametrize("scheme", ["aliyun", "tencent", "wechat"])
def test_the_gateway_a_simulated_provider_prints_has_every_template(scheme, clock):
    printed = _web(House("test", clock), Kind(scheme), "secret")[1].format(where="127.0.0.1:8096")
    assert lacking(GatewayUrl.read(printed)) == []
