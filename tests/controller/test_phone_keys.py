"""Another key for phone numbers: old values still open, new ones name the new key, what is derived stays."""

import base64
import json
import os
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from controller.cli_privacy import privacy
from controller.use_cases.phone_rotation import drop_old_keys, reseal_all
from controller.use_cases.phones import PhoneBox
from controller.use_cases.take_ticket import TicketRequest
from edge_agent.sealing import seal_phone
from hall_core.errors import GatewayRejected, PhoneInvalid, PhoneKeyDropped, SettingsInvalid
from hall_core.queueing import commands as c
from tests.controller.gateway import FakeGateway
from tests.controller.sending import hall_with, sending
from tests.controller.test_take_ticket import answering, take


def somebody() -> str:
    return f"13{secrets.randbelow(10**9):09d}"


def quiet(_name: str, _count: int) -> None:
    """Nobody looks at the progress."""


def without_id(sealed: str) -> str:
    return sealed.rpartition(".")[2]


@pytest.fixture
def phones(tmp_path) -> PhoneBox:
    return PhoneBox.open(tmp_path / "phone.key")


@pytest.fixture
def phone() -> str:
    return somebody()


def derived(phones: PhoneBox) -> tuple[object, ...]:
    return (
        *(phones.slip_key, phones.chain_seed, phones.time_seed, phones.override_key("haitang")),
        *(phones.index("138" + "0" * 8), phones.fingerprint({"a": 1})),
    )


def test_a_sealed_number_names_its_key_and_old_ones_open_after_a_rotation(phones, phone):
    before = phones.seal(phone, "t1")
    first = phones.keys.newest.id
    made = phones.keys.rotate()
    after = phones.seal(phone, "t1")
    assert before.startswith(f"{first}.")
    assert after.startswith(f"{made.id}.")
    assert made.id != first
    assert {phones.unseal(sealed, "t1") for sealed in (before, after)} == {f"+86{phone}"}


def test_what_halls_seal_names_the_key_too(phones, phone):
    sealed = seal_phone(phone, ticket_id="t1", controller_key=phones.public, nonce=os.urandom(12))
    assert sealed.startswith(f"{phones.keys.newest.id}.")
    assert phones.unseal(sealed, "t1") == f"+86{phone}"


def test_a_value_that_names_no_key_is_opened_by_the_first_and_by_later_ones(phones, phone):
    first = without_id(phones.seal(phone, "t1"))
    phones.keys.rotate()
    second = without_id(phones.seal(phone, "t1"))
    assert phones.unseal(first, "t1") == phones.unseal(second, "t1") == f"+86{phone}"


def test_an_openid_keeps_its_way_in_front_of_the_key(phones):
    openid = "o" * 28
    sealed = phones.seal_openid(openid, "t1")
    phones.keys.rotate()
    again = phones.reseal(sealed, "t1", "t2")
    assert again.startswith(f"wechat.{phones.keys.newest.id}.")
    assert phones.unseal(again, "t2") == openid


def test_a_program_that_runs_opens_what_another_sealed_to_a_key_it_has_not_seen(phones, phone, tmp_path):
    other = PhoneBox.open(tmp_path / "phone.key")
    other.keys.rotate()
    assert phones.unseal(other.seal(phone, "t1"), "t1") == f"+86{phone}"


def test_a_dropped_key_says_so(phones, phone):
    sealed = phones.seal(phone, "t1")
    first = phones.keys.newest.id
    phones.keys.rotate()
    assert phones.keys.drop_old() == [first]
    with pytest.raises(PhoneKeyDropped, match=first):
        phones.unseal(sealed, "t1")
    with pytest.raises(PhoneInvalid):
        phones.unseal(without_id(sealed), "t1")


@given(rotations=st.lists(st.booleans(), max_size=4))
def test_rotations_and_drops_never_change_what_is_derived(tmp_path_factory, rotations):
    path = tmp_path_factory.mktemp("keys") / "phone.key"
    first = PhoneBox.open(path)
    before = derived(first)
    for drop in rotations:
        first.keys.rotate()
        if drop:
            first.keys.drop_old()
        again = PhoneBox.open(path)
        assert derived(first) == derived(again) == before
        assert again.keys.newest.id == first.keys.newest.id


def test_the_root_that_stays_opens_nothing(phones, tmp_path):
    secret = (tmp_path / "phone.key").read_bytes()
    phones.keys.rotate()
    phones.keys.drop_old()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["phone.2.key", "phone.root"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in tmp_path.iterdir())
    assert all(file.read_bytes() != secret for file in tmp_path.iterdir())


def test_a_first_key_that_is_lost_is_not_made_anew_beside_later_ones(phones, tmp_path):
    phones.keys.rotate()
    (tmp_path / "phone.key").unlink()
    with pytest.raises(SettingsInvalid, match="backup"):
        PhoneBox.open(tmp_path / "phone.key")
    assert not (tmp_path / "phone.key").exists()


def test_a_key_that_others_may_read_is_refused(phones, tmp_path):
    phones.keys.rotate()
    (tmp_path / "phone.2.key").chmod(0o644)
    with pytest.raises(SettingsInvalid, match="chmod 600"):
        PhoneBox.open(tmp_path / "phone.key")


def kept(centre) -> bytes:
    """Every text of every table."""
    tables = (
        "TICKETS",
        "REQUESTS",
        "NOTICES",
        "FACTS",
        "WISHES",
        "SNAPSHOTS",
        "APPOINTMENTS",
        "HALL_MANAGERS",
    )
    return json.dumps([centre.rows(name) for name in tables], default=str).encode()


async def busy(centre, box, phone):
    """A hall where somebody took a number at the kiosk and somebody online."""
    await centre.meet(box)
    box.issue("t1", phone_sealed=centre.context.phones.seal(phone, "t1"), phone_tail=phone[-2:])
    await centre.talk(box, box.facts())
    async with answering(centre, box):
        await take(centre, asked=TicketRequest(service="household", channel="web", phone=phone))
    return centre.rows("TICKETS")


async def test_resealing_leaves_nothing_sealed_to_the_old_key(centre, box, phone):
    rows = await busy(centre, box, phone)
    old = centre.context.phones.keys.newest.id
    centre.context.phones.keys.rotate()
    assert f"{old}.".encode() in kept(centre)
    done = reseal_all(centre.database, centre.context.phones, quiet)
    assert f"{old}.".encode() not in kept(centre)
    assert {"tickets", "facts", "wishes", "requests"} <= {n for n, count in done.changed.items() if count}
    for before, after in zip(rows, centre.rows("TICKETS"), strict=True):
        assert centre.context.phones.unseal(after["phone_sealed"], after["ticket_id"]) == f"+86{phone}"
        assert {**before, "phone_sealed": ""} == {**after, "phone_sealed": ""}
    again = reseal_all(centre.database, centre.context.phones, quiet)
    assert again.changed.total() == 0


async def test_resealing_that_was_stopped_goes_on(centre, box, phone, monkeypatch):
    monkeypatch.setattr("controller.use_cases.sealed_values.CHUNK", 2)
    await centre.meet(box)
    for n in range(7):
        box.issue(f"t{n}", phone_sealed=centre.context.phones.seal(phone, f"t{n}"), phone_tail=phone[-2:])
    await centre.talk(box, box.facts())
    centre.context.phones.keys.rotate()

    class Stopped(Exception):
        """Somebody pressed Ctrl-C."""

    def until_half(_name: str, count: int) -> None:
        if count >= 4:
            raise Stopped

    with pytest.raises(Stopped):
        reseal_all(centre.database, centre.context.phones, until_half)
    done = reseal_all(centre.database, centre.context.phones, quiet)
    assert done.changed["tickets"] == 3
    assert all(centre.context.phones.is_newest(row["phone_sealed"]) for row in centre.rows("TICKETS"))


async def test_the_picture_of_the_queue_is_the_same_after_resealing_and_a_restart(centre, box, phone):
    await busy(centre, box, phone)
    stream = centre.live.by_id("haitang").stream
    before = centre.live.queue(stream)
    centre.context.phones.keys.rotate()
    reseal_all(centre.database, centre.context.phones, quiet)
    again = centre.again()
    try:
        assert set(again.live.queue(stream).tickets) == set(before.tickets)
        sealed = {t.phone_sealed for t in again.live.queue(stream).tickets.values()}
        assert all(again.context.phones.is_newest(value) for value in sealed)
    finally:
        again.close()


async def test_an_old_key_is_not_dropped_while_something_needs_it(centre, box, phone, clock, tmp_path):
    await busy(centre, box, phone)
    phones = centre.context.phones
    phones.keys.rotate()
    with pytest.raises(SettingsInvalid, match="sealed to an old key"):
        drop_old_keys(centre.database, phones, even_so=True)
    reseal_all(centre.database, phones, quiet)
    later = clock.now().timestamp() + 3600
    os.utime(tmp_path / "phone.2.key", (later, later))
    with pytest.raises(SettingsInvalid, match="not heard of since the rotation: haitang"):
        drop_old_keys(centre.database, phones, even_so=False)
    earlier = clock.now().timestamp() - 3600
    os.utime(tmp_path / "phone.2.key", (earlier, earlier))
    drop_old_keys(centre.database, phones, even_so=False)
    ticket = centre.rows("TICKETS")[0]
    assert phones.unseal(ticket["phone_sealed"], ticket["ticket_id"]) == f"+86{phone}"


async def test_the_commands_rotate_reseal_and_drop(centre, box, phone, tmp_path):
    await busy(centre, box, phone)
    centre.again().close()
    run = CliRunner()
    place = ["--data", str(tmp_path)]
    assert run.invoke(privacy, ["rotate", *place]).exit_code == 0
    told = run.invoke(privacy, ["reseal", "--drop-old", "--even-so", *place])
    assert told.exit_code == 0, told.output
    assert "tickets: 2 sealed to key" in told.output
    assert phone not in told.output
    assert not (tmp_path / "phone.key").exists()
    ticket = centre.rows("TICKETS")[0]
    box_ = PhoneBox.open(tmp_path / "phone.key")
    assert box_.unseal(ticket["phone_sealed"], ticket["ticket_id"]) == f"+86{phone}"
    assert box_.slip_key == centre.context.phones.slip_key


async def test_a_notice_whose_key_was_dropped_is_rejected_and_says_why(centre, box, clock, phone):
    gateway = FakeGateway(clock.now)
    sealed = centre.context.phones.seal(phone, "t1")
    centre.context.phones.keys.rotate()
    centre.context.phones.keys.drop_old()
    await centre.meet(box)
    box.issue("t1", phone_sealed=sealed, phone_tail=phone[-2:])
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    assert [(r["state"], r["reason"]) for r in centre.rows("NOTICES")] == [("rejected", "phone-key-dropped")]
    assert gateway.taken == {}


class Talkative(FakeGateway):
    """A gateway that repeats the number when it refuses."""

    async def send(self, parcel):
        raise GatewayRejected(f"{parcel.to} in blacklist")


async def test_what_a_gateway_says_of_a_number_is_kept_masked(centre, box, clock, phone):
    gateway = Talkative(clock.now)
    await hall_with(centre, box, phone, "t1")
    async with sending(centre, gateway) as settle:
        await settle()
    assert [r["reason"] for r in centre.rows("NOTICES")] == [f"{phone[:3]}****{phone[-4:]} in blacklist"]


def test_a_folder_without_a_key_is_not_rotated(tmp_path):
    told = CliRunner().invoke(privacy, ["rotate", "--data", str(tmp_path / "elsewhere")])
    assert isinstance(told.exception, SettingsInvalid)
    assert not (tmp_path / "elsewhere").exists()


def test_a_new_key_is_32_bytes_that_halls_can_use(phones):
    phones.keys.rotate()
    assert len(base64.b64decode(phones.public)) == 32
    assert c.IssueTicket(ticket_id="t", token="t", phone_sealed=phones.seal(somebody(), "t"))
