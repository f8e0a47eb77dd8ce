"""Addresses of the hall file."""

import pytest

from device_drivers.bus import parse_address
from hall_core.errors import SettingsInvalid
from tests.drivers.units import PROFILE, SERIAL, TCP


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("tcp://10.0.0.7:5005", "tcp://10.0.0.7:5005"),
        ("tcp://strip-3", "tcp://strip-3:502"),
        ("rtu+tcp://[::1]:4001", "rtu+tcp://::1:4001"),
        ("serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0"),
    ],
)
def test_addresses_are_read(text: str, again: str) -> None:
    assert str(parse_address(text, PROFILE)) == again


@pytest.mark.parametrize(
    "text", ["tcp://", "tcp://host:0", "tcp://host:70000", "udp://host:1", "tcp://a b:1"]
)
def test_an_address_that_leads_nowhere_is_refused_in_words(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="地址"):
        parse_address(text, PROFILE)


@pytest.mark.parametrize(("side", "text"), [("serial", SERIAL), ("tcp", TCP)])
def test_an_address_the_model_has_no_plug_for_is_refused(side: str, text: str) -> None:
    with pytest.raises(SettingsInvalid, match="型号"):
        parse_address(text, PROFILE.model_copy(update={side: None}))
