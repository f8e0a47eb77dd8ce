"""The language above the drivers, and what a profile may say."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hall_core.devices.driver import Driver, Health
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import (
    CounterMode,
    CounterPicture,
    DeviceEvent,
    Evaluated,
    KeyOp,
    KeyPressed,
    PrintTicket,
)

STRIP: dict[str, Any] = {
    "schema": "hall.profile/1",
    "id": "modbus.led-strip",
    "family": "modbus_text",
    "kind": "strip",
    "name": "条屏",
    "status": "simulated",
    "match": {"vendor": "generic", "models": ["LED-8"]},
    "tcp": {"port": 502},
    "capabilities": {"call-display": "readback"},
    "frames": [{"name": "clear", "source": "manual p. 4", "command": {"clear": True}, "sent": "01 06"}],
}


def test_a_profile_needs_little_and_says_the_rest_by_default() -> None:
    profile = Profile.model_validate(STRIP)
    assert (profile.timing.response_timeout_ms, profile.timing.retries, profile.encoding) == (800, 1, "gbk")
    assert (profile.serial, profile.volatile, profile.frames[0].answer) == (None, True, "")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"schema": "hall.profile/2"}, "schema"),
        ({"id": "Modbus"}, "id"),
        ({"family": "modbus-text"}, "family"),
        ({"status": "perfect"}, "status"),
        ({"capabilities": {}}, "capabilities"),
        ({"capabilities": {"fly": "ack"}}, "capabilities"),
        ({"capabilities": {"text": "surely"}}, "capabilities"),
        ({"match": {"vendor": "generic", "models": []}}, "match"),
        ({"tcp": {"port": 70_000}}, "tcp"),
        ({"timing": {"retries": 6}}, "timing"),
        ({"if": "firmware > 3"}, "if"),
    ],
)
def test_a_profile_that_says_something_else_is_refused_at_its_place(
    changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Profile.model_validate(STRIP | changes)
    assert caught.value.errors()[0]["loc"][0] == place


def test_device_events_are_told_apart_by_their_kind() -> None:
    adapter: TypeAdapter[DeviceEvent] = TypeAdapter(DeviceEvent)
    assert adapter.validate_python({"kind": "key-pressed", "op": "next"}) == KeyPressed(op=KeyOp.NEXT)
    assert adapter.validate_python({"kind": "evaluated", "score": 5}) == Evaluated(score=5)
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "evaluated", "score": 6})


def test_pictures_are_values_a_recall_makes_a_new_one() -> None:
    called = CounterPicture(
        counter="1", name="1号", mode=CounterMode.CALLED, label="A001", call_no=1, text="请 A001"
    )
    assert called == called.model_copy()
    assert called != called.model_copy(update={"call_no": 2})
    with pytest.raises(ValidationError):
        called.text = "x"


def test_a_print_job_is_named() -> None:
    assert "job_id" in PrintTicket.model_json_schema()["required"]


def test_a_driver_shows_does_probes_and_tells() -> None:
    assert {"show", "do", "probe", "events"} <= set(vars(Driver))
    assert {"state", "detail"} <= set(vars(Health))
