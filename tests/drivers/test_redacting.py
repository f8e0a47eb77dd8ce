"""The rules for captures of JSON and topics: what nobody declared harmless is never kept, the form always is."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.escpos.recognise import redact as redact_slip
from device_drivers.mqtt_native.announcement import read_announcement
from device_drivers.mqtt_native.recognise import redact as redact_announced
from device_drivers.rate_ws.recognise import redact as redact_tablet
from device_drivers.rate_ws.websocket import ServerSocket
from device_drivers.redacting import masked, masked_json, masked_topic, one_of
from device_drivers.satellite.recognise import redact as redact_box
from hall_core.wire import local
from hall_core.wire.envelope import decode
from tests.drivers.captures import all_captures
from tests.drivers.test_rate_ws import ACCEPT, OPENING, frame

PHONE = 138 * 10**8
#: of nobody, and made here: a name, a number, a card, a link
CANARIES = (
    "张三丰",
    str(PHONE),
    "11010119000101" + "1237",
    "https://example.org/t/Qx7Kp2vW",
    "Li Na",
)
RULES = {"kind": one_of(["known"]), "text": masked}


def code(text: str) -> bytes:
    """The data of a QR code, as a slip has them."""
    data = text.encode("gbk")
    return b"\x1d(k" + (len(data) + 3).to_bytes(2, "little") + b"1P0" + data


keys = st.sampled_from(
    ["kind", "text", "state", "name", "n", "to", "method", "code", "stranger", "effect", "t"]
)
leaves = st.one_of(st.sampled_from(CANARIES), st.sampled_from([PHONE, PHONE + 0.5]), st.booleans(), st.none())
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys | st.sampled_from(CANARIES), inner, max_size=4)
    ),
    max_leaves=12,
)
messages = st.dictionaries(keys | st.sampled_from(CANARIES), values, max_size=5)


def secrets_in(kept: bytes) -> list[str]:
    text = kept.decode()
    return [one for one in (*CANARIES, "Qx7Kp2vW", "Li") if one in text]


@pytest.mark.parametrize("redact", [redact_announced, redact_box])
@given(said=messages)
def test_no_value_and_no_key_of_a_message_brings_a_canary_through(redact, said):
    kept = redact(json.dumps(said, ensure_ascii=False).encode())
    assert secrets_in(kept) == []
    json.loads(kept)


@given(said=messages)
def test_what_a_tablet_says_brings_no_canary_through_in_any_frame(said):
    data = json.dumps(said, ensure_ascii=False).encode()
    kept = redact_tablet(OPENING + frame(data) + frame(data, 9) + frame(data, last=False))
    server = ServerSocket()
    texts = server.feed(kept)
    assert secrets_in("".join(texts).encode()) == []
    assert all(one.encode() not in kept for one in CANARIES)


@given(said=st.binary(max_size=200) | st.text().map(str.encode))
@pytest.mark.parametrize("redact", [redact_announced, redact_box, redact_tablet])
def test_a_rule_takes_whatever_comes(redact, said):
    assert isinstance(redact(said), bytes)


@given(said=messages)
def test_the_form_of_a_message_stays(said):
    kept = masked_json(json.dumps(said).encode(), RULES)
    assert kept is not None
    assert form(kept) == form(json.dumps(said))


def form(text):
    """Objects and lists, and what kind of value stands where; keys may have become alike."""

    def blank(value):
        if isinstance(value, list):
            return [blank(one) for one in value]
        return value if isinstance(value, bool) or value is None else isinstance(value, str)

    return blank(json.loads(text, object_pairs_hook=lambda pairs: [value for _, value in pairs]))


def test_what_a_rule_keeps_is_kept_as_it_was_written():
    said = b'{"kind": "known", "text": "A018", "more": [1, true, null], "kind2":"x"}'
    assert (
        masked_json(said, RULES)
        == b'{"kind": "known", "text": "x000", "xxxx": [0, true, null], "xxxx0": "x"}'
    )
    assert masked_json(b'{"kind":"other"}', RULES) == b'{"kind":"xxxxx"}'
    assert masked_json(b"17", RULES) is None


@given(st.text())
def test_a_topic_stays_on_its_line_and_names_nobody(name):
    kept = masked_topic(f"homeassistant/text/no-{name}/config")
    assert len(kept.splitlines()) == 1
    assert re.fullmatch(r"homeassistant/text/xx-.*/config", kept)
    assert set(masked(name)) & set(name) <= set("x0某") | {sign for sign in name if not sign.isalnum()}


def test_states_of_a_plain_topic_stay_and_texts_go():
    assert [redact_announced(said) for said in (b"ON", b"offline", b"1")] == [b"ON", b"offline", b"1"]
    assert redact_announced("17 请张三".encode()) == "00 某某某".encode()
    assert redact_announced(b"\xff\xfeLi") == bytes(4)
    assert redact_announced(b"") == b""


def test_an_announcement_can_still_be_read():
    said = {"~": "sign/lina", "cmd_t": "~/set", "stat_t": "~/state", "schema": "json", "bri_scl": 100}
    said |= {"dev": {"ids": ["lina"], "name": "Li Na", "mf": "海信", "mdl": "L-20", "sn": "123456789"}}
    kept = redact_announced(json.dumps(said, ensure_ascii=False).encode())
    found = read_announcement(kept, "light")
    assert found is not None
    assert (found.command_topic, found.state_topic) == ("xxxx/xxxx/set", "xxxx/xxxx/state")
    assert (found.json_light, found.brightness_scale, found.model) == (True, 100, "海信 L-20")
    assert [one for one in (b"lina", b"Li Na", b"123456789") if one in kept] == []


@pytest.mark.parametrize("capture", [c for c in all_captures() if c.family == "satellite"], ids=str)
def test_the_papers_own_messages_are_still_messages_afterwards(capture):
    kept = redact_box(capture.sent[0])
    kind = local.Do if b'"job"' in kept else local.Happened if b'"event"' in kept else local.Show
    assert decode(kind, kept)
    assert b"A018" not in kept


def test_of_an_opening_nothing_stays_but_what_opens():
    said = OPENING.replace(b"\r\n\r\n", b"\r\nCookie: id=lina\r\nX-Lina: 1\r\n\r\n").replace(
        b"/chat", b"/lina?k=1"
    )
    kept = redact_tablet(said)
    assert ACCEPT in opened(kept)
    assert [one for one in (b"lina", b"Lina", b"example") if one in kept] == []
    assert kept.startswith(b"GET /xxxx?x=0 HTTP/1.1\r\n")


def opened(said: bytes) -> bytes:
    server = ServerSocket()
    server.feed(said)
    return server.outgoing()


def test_of_frames_cut_or_closed_only_the_code_stays():
    whole = frame(b'{"method":"Login"}')
    assert redact_tablet(whole[:-1]) == bytes(len(whole) - 1)
    close = redact_tablet(b"\x88\x09\x03\xe8bye Li!")
    assert close == b"\x88\x09\x03\xe8xxx xx!"
    assert redact_tablet(b"\x8a\x02Li") == b"\x8a\x02\0\0"


parts_of_a_slip = st.one_of(
    st.sampled_from(
        [b"\x1b@", b"\x1c&", b"\x1ba\x01", b"\x1d!\x11", b"\x1cW\x01", b"\n", b"\x1dV\x00", b"\x1b", b"\x1d("]
    ),
    st.sampled_from([one.encode("gbk") for one in CANARIES]),
    st.sampled_from([code(one) for one in CANARIES]),
)


@given(said=st.lists(parts_of_a_slip, max_size=12).map(b"".join))
def test_of_a_slip_the_commands_stay_and_no_word_number_or_code(said):
    kept = redact_slip(said)
    assert len(kept) == len(said)
    assert [one for one in CANARIES if one.encode("gbk") in kept] == []


def test_a_slip_keeps_its_layout_and_a_printers_state_is_kept_whole():
    slip = b"\x1b@\x1c&\x1ba\x01" + "A001 张".encode("gbk") + b"\n" + code("http://h/t/ab") + b"\x1dV\x01"
    form = b"\x1b@\x1c&\x1ba\x01" + "x000 某".encode("gbk") + b"\n" + code("xxxx://x/x/xx") + b"\x1dV\x01"
    assert redact_slip(slip) == form
    assert redact_slip(b"\x12") == b"\x12"
    assert redact_slip(b"\x32") == b"\x32"
    assert redact_slip(b"\x10\x04\x01") == b"\x10\x04\x01"
