"""The rule for recognisers: found by name, declared, harmless in their order, and with a rule for captures."""

import asyncio
from importlib import import_module
from importlib.util import find_spec

import pytest

import device_drivers
import firmware_profiles
from device_drivers.bus import BusPool, Urgency
from device_drivers.bus.tap import tapped
from device_drivers.gsm_at.recognise import redact as redact_modem
from device_drivers.pjlink.recognise import redact as redact_projector
from device_drivers.recognising import (
    Asking,
    Listening,
    Unaskable,
    mask_unknown,
    named_models_first,
    recogniser_of,
    redactor_of,
)
from hall_core.clock import FixedClock
from tests.drivers.units import Devices, port, question
from tests.drivers.wires import FakeWire

FAMILIES = device_drivers.families()
PROFILES = firmware_profiles.all_profiles()
ASKING = [f for f in FAMILIES if isinstance(recogniser_of(f), Asking)]
WITH_FILE = [f for f in FAMILIES if find_spec(f"device_drivers.{f}.recognise")]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_can_be_asked_heard_or_says_why_not(family):
    recogniser = recogniser_of(family)
    assert isinstance(recogniser, Asking | Listening | Unaskable)
    if isinstance(recogniser, Unaskable):
        assert "(" in recogniser.words


@pytest.mark.parametrize("family", WITH_FILE)
def test_a_recogniser_is_declared_and_says_what_makes_it_harmless(family):
    module = import_module(f"device_drivers.{family}.recognise")
    assert module.RECOGNISER is recogniser_of(family)
    assert isinstance(module.RECOGNISER, Unaskable) or "Source:" in (module.__doc__ or "")


@pytest.mark.parametrize("family", ASKING)
def test_whoever_is_asked_has_a_profile_that_says_where(family):
    mine = [p for p in PROFILES.values() if p.family == family]
    assert any(p.tcp or p.serial for p in mine)


def test_no_two_families_are_asked_at_the_same_place_in_the_order():
    orders = [recogniser_of(family).order for family in ASKING]
    assert len(set(orders)) == len(orders)


def test_whoever_prints_what_it_does_not_know_is_asked_before_anybody_who_speaks():
    first = sorted(ASKING, key=lambda family: recogniser_of(family).order)
    assert first[:2] == ["pjlink", "escpos"]  # a projector greets: nothing is sent to whoever does not


def test_a_family_without_the_file_cannot_be_found_by_asking():
    assert isinstance(recogniser_of("no_such_family"), Unaskable)
    assert redactor_of("no_such_family") is mask_unknown


def test_the_model_a_device_names_comes_first_and_all_where_it_names_none():
    screens = [p for p in PROFILES.values() if p.family == "samsung_mdc"]
    assert named_models_first(screens, "QM55R\0") == ("samsung.qm55r",)
    assert set(named_models_first(screens, "")) == {"samsung.p50hp", "samsung.qm55r"}


def test_of_an_unknown_family_only_the_head_of_what_was_said_is_kept():
    assert mask_unknown(b"HEADsecret") == b"HEAD" + bytes(6)
    assert mask_unknown(b"ab") == b"ab"


def test_of_a_modem_commands_and_results_are_kept_and_all_else_is_masked():
    said = b'AT+CSQ\r\r\n+CSQ: 22,99\r\n\r\nOK\r\n+CLIP: "name of somebody",145\r\nhello Wang\r\n> 0011ABCDEF99\x1a'
    kept = redact_modem(said)
    assert len(kept) == len(said)
    assert b"+CSQ: 22,99" in kept
    assert b"OK" in kept
    for secret in (b"somebody", b"Wang", b"ABCDEF99"):
        assert secret not in kept


def test_of_a_projector_neither_token_nor_digest_is_kept():
    kept = redact_projector(b"PJLINK 1 498e4a67\r5d8409bc1c3fa39749434aa3a5c38682%1POWR ?\r")
    assert kept == b"PJLINK 1 00000000\r" + b"0" * 32 + b"%1POWR ?\r"


async def test_a_tap_hears_both_sides_and_changes_nothing(clock: FixedClock):
    noted: list[tuple[str, bytes]] = []
    wire = FakeWire(Devices(1))
    opener = tapped(lambda mark, data: noted.append((mark, data)), wire.open)
    async with BusPool(clock=clock, opener=opener, pause=_no_pause) as buses:
        one = port(buses)
        async with one.standing():
            answer = await one.run(Urgency.POLL, question(1, 7))
    assert answer == b"\x01\x07!"
    assert noted == [(">", b"\x01\x07"), ("<", b"\x01\x07!")]


async def test_a_loss_is_told_through_a_tap(clock: FixedClock):
    wire, lost = FakeWire(Devices(1)), asyncio.Event()
    async with BusPool(clock=clock, opener=tapped(lambda *_: None, wire.open), pause=_no_pause) as buses:
        one = port(buses)
        async with one.standing(on_lost=lost.set):
            await one.run(Urgency.POLL, question(1, 7))
            wire.hang_up()
            async with asyncio.timeout(5):
                await lost.wait()


async def _no_pause(_seconds: float) -> None:
    await asyncio.sleep(0)
