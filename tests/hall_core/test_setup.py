"""What a hall file may say of a hall, and what it may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from tests.hall_core.hall_scene import hall_setup

SOCIAL = ServiceSetup(id="social", name="社保", prefix="A")
COUNTER = CounterSetup(id="1", name="1号窗口", services=("social",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"services": (SOCIAL, SOCIAL)}, "service 'social' stands twice"),
        ({"services": (SOCIAL, SOCIAL.model_copy(update={"id": "b"}))}, "prefix 'A' stands twice"),
        ({"counters": (COUNTER, COUNTER)}, "counter '1' stands twice"),
        ({"services": (SOCIAL,)}, "counter '2' serves 'residence', which is no service of the hall"),
        ({"credits_min": {"elder": 31}}, "credit of 'elder' must lie between 0 and goal_min (30)"),
        ({"credits_min": {"elder": -1}}, "credit of 'elder' must lie between 0 and goal_min (30)"),
        ({"services": ()}, "at least 1 item"),
        ({"counters": ()}, "at least 1 item"),
        ({"hall": "Pingfang 1"}, "should match pattern"),
        ({"level": "province"}, "'district', 'street' or 'community'"),
        ({"colour": "blue"}, "Extra inputs are not permitted"),
    ],
)
def test_a_set_up_whose_parts_do_not_fit_is_refused_with_the_reason(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        hall_setup(**changes)
    assert said in str(caught.value)


@pytest.mark.parametrize("prefix", [*"IOQSZ", "a", "AB", "", "0", "甲"])
def test_letters_that_look_like_digits_are_no_prefixes(prefix: str) -> None:
    with pytest.raises(ValidationError):
        ServiceSetup(id="x", name="x", prefix=prefix)


def test_a_set_up_finds_its_services_and_counters_by_id() -> None:
    setup = hall_setup()
    assert setup.service("residence").name == "户籍"
    assert setup.counter("3").services == ("social", "residence")
    assert (setup.service("fishing"), setup.counter("9")) == (None, None)


def test_a_set_up_survives_json() -> None:
    setup = hall_setup()
    assert HallSetup.model_validate_json(setup.model_dump_json()) == setup


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:5005", "serial:///dev/ttyUSB0", "rtu+tcp://10.0.0.9:502"]
)
def test_a_device_stands_at_a_tcp_or_serial_address(address: str) -> None:
    device = DeviceSetup(name="strip-1", profile="modbus.led-strip-generic", address=address, counter="1")
    assert HallFile(hall=hall_setup(), devices=(device,)).devices[0].address == address


@pytest.mark.parametrize("address", ["127.0.0.1:5005", "http://10.0.0.9", "tcp://", ""])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        DeviceSetup(name="strip-1", profile="p", address=address)
