"""What a device says of itself, in the forms of home-assistant.io: read, or refused in words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.mqtt_native.announcement import (
    Announcement,
    AvailabilityPlace,
    config_topics,
    read_announcement,
)
from device_drivers.mqtt_native.availability import Availability
from device_drivers.mqtt_native.command import Lamp, confirms, lamp_command, text_command
from device_drivers.mqtt_native.template import Template
from hall_core.errors import BadFrame


def read(component: Any = "text", part: str = "", **said: Any) -> Announcement:
    found = read_announcement(json.dumps(said).encode(), component, part)
    assert found is not None
    return found


def test_a_name_is_looked_for_in_the_device_form_and_in_the_components_own() -> None:
    assert config_topics("homeassistant", "text", "panel") == (
        "homeassistant/device/panel/config",
        "homeassistant/text/panel/config",
        "homeassistant/text/+/panel/config",
    )
    assert config_topics("ha", "light", "node/lamp")[1] == "ha/light/node/lamp/config"


@pytest.mark.parametrize(
    ("said", "command", "state"),
    [
        ({"~": "a/b", "cmd_t": "~/set", "stat_t": "~/state"}, "a/b/set", "a/b/state"),
        ({"~": "a/b", "command_topic": "set/~"}, "set/a/b", None),
        ({"command_topic": "txt/cmd", "state_topic": "txt/state"}, "txt/cmd", "txt/state"),
    ],
)
def test_short_keys_and_the_base_of_topics_are_written_out(
    said: dict[str, Any], command: str, state: str | None
) -> None:
    found = read(**said)
    assert (found.command_topic, found.state_topic) == (command, state)


def test_a_component_takes_what_the_root_says_for_all_unless_it_says_otherwise() -> None:
    said = {
        "avty_t": "d/there",
        "command_topic": "d/set",
        "cmps": {
            "a": {"p": "text", "state_topic": "d/a"},
            "b": {"p": "text", "command_topic": "d/b/set", "max": 8},
        },
    }
    assert read(**said).state_topic == "d/a"
    second = read(part="b", **said)
    assert (second.command_topic, second.max_chars) == ("d/b/set", 8)
    assert second.availability == (AvailabilityPlace("d/there"),)


@pytest.mark.parametrize(
    "payload", [b"", b'{"migrate_discovery": true}', b'{"cmps": {"panel": {"p": "text"}}}']
)
def test_what_is_taken_back_is_no_announcement(payload: bytes) -> None:
    assert read_announcement(payload, "text") is None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "不是可用的 JSON"),
        ("[" * 60_000, "不是可用的 JSON"),
        ('{"a":' * 20_000, "不是可用的 JSON"),
        ("[" * 40 + "]" * 40, "不是可用的 JSON"),
        ('{"command_topic": "\\ud800"}', "不是可用的 JSON"),
        (f'{{"command_topic": "{"a" * 2000}"}}', "缺少可用的 command_topic"),
        (f'{{"command_topic": "a", "max": {10**400}}}', "max 不是 1..65535 的整数"),
        ("[1]", "不是 JSON 对象"),
        ("{}", "没有可用的|缺少可用的 command_topic"),
        ('{"command_topic": "a/#"}', "缺少可用的 command_topic"),
        ('{"command_topic": 7}', "缺少可用的 command_topic"),
        ('{"command_topic": "a", "avty": [{"t": ""}]}', "缺少可用的 topic"),
        ('{"command_topic": "a", "avty_mode": "most"}', "availability_mode"),
        ('{"command_topic": "a", "max": true}', "max 不是 1..65535 的整数"),
        ('{"command_topic": "a", "value_template": "{% if value %}x{% endif %}"}', "模板"),
        ('{"cmps": []}', "components 不是对象"),
        ('{"cmps": {"t1": {"p": "sensor"}}}', "没有 text 部件"),
    ],
)
def test_an_announcement_that_cannot_be_used_is_refused_in_words(said: str, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        read_announcement(said.encode(), "text")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["~", "cmd_t", "avty", "t", "cmps", "p", "dev", "max", "a"]), inner)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_whatever_is_announced_nothing_but_a_bad_frame_is_raised(said: Any) -> None:
    try:
        read_announcement(json.dumps(said).encode(), "text")
    except BadFrame:
        return


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        # after a says yes, b says yes, a says no, b says no
        ("all", [False, True, False, False]),
        ("any", [True, True, True, False]),
        ("latest", [True, True, False, False]),
    ],
)
def test_all_any_or_the_latest_of_its_topics_must_say_that_it_is_there(mode: Any, after: list[bool]) -> None:
    places = (AvailabilityPlace("a"), AvailabilityPlace("b", "1", "0", "{{ value_json.up }}"))
    availability = Availability(places, mode)
    assert not availability.there
    seen = []
    for topic, payload in (("a", b"online"), ("b", b'{"up": 1}'), ("a", b"offline"), ("b", b'{"up": "0"}')):
        availability.hear(topic, payload)
        availability.hear(topic, b"neither of the two")
        seen.append(availability.there)
    assert seen == after


def test_without_availability_topics_nobody_can_know() -> None:
    availability = Availability((), "all")
    assert (availability.told, availability.there) == (False, True)


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("", "A018", "A018"),
        ("{{ value }}!", "A018", "A018!"),
        ("{{value_json.panel.text}}", '{"panel": {"text": "请"}}', "请"),
        ("{{ value_json['text'] }}", '{"text": 7}', "7"),
        ("{{ value_json.text }}", '{"other": 7}', None),
        ("{{ value_json.text }}", "not json", None),
    ],
)
def test_the_small_part_of_templates_is_filled(template: str, value: str, text: str | None) -> None:
    assert Template(template).render(value) == text


def test_a_text_is_cut_to_what_the_display_takes_and_never_within_a_character() -> None:
    announced = read(cmd_t="a", max=5, command_template='{"text": "{{ value }}"}')
    assert text_command(announced, "请A018号", 240).payload == '{"text": "请A018"}'.encode()
    assert text_command(announced, "请请请", 7).payload == '{"text": "请请"}'.encode()


@pytest.mark.parametrize(
    ("said", "state", "done"),
    [
        ({"schema": "json"}, {"state": "ON", "color": {"r": 255, "g": 0, "b": 0}, "brightness": 128}, True),
        ({"schema": "json"}, {"state": "ON"}, True),
        ({"schema": "json"}, {"state": "OFF"}, False),
        ({"schema": "json"}, {"brightness": 128}, False),
        ({"schema": "json"}, {"state": "ON", "color": {"r": 0}}, False),
        ({"schema": "json"}, [], False),
        ({"payload_on": "1"}, 1, True),
        ({"payload_on": "1", "state_on": "lit"}, 1, False),
    ],
)
def test_a_light_is_done_when_its_state_does_not_say_otherwise(
    said: dict[str, Any], state: Any, done: bool
) -> None:
    announced = read("light", cmd_t="a", stat_t="b", **said)
    command = lamp_command(announced, Lamp(lit=True, rgb=(255, 0, 0), brightness=50))
    assert confirms(announced, command, json.dumps(state).encode()) is done


def test_a_dark_light_is_told_nothing_but_to_be_dark() -> None:
    announced = read("light", cmd_t="a", schema="json", brightness_scale=100)
    assert json.loads(lamp_command(announced, Lamp(lit=False, brightness=50)).payload) == {"state": "OFF"}
    wish = Lamp(lit=True, brightness=50, effect="blink")
    assert json.loads(lamp_command(announced, wish).payload) == {
        "state": "ON",
        "brightness": 50,
        "effect": "blink",
    }
