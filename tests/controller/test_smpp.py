"""SMPP: our client against the simulated centre and against Net::SMPP, and bytes of foreign making."""

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from controller.gateways import smpp_codec as codec
from controller.gateways.address import GatewayUrl
from controller.gateways.session import Frame
from controller.gateways.smpp import SmppGateway
from controller.use_cases.ports import Asked, Busy, Fate, Receipt, Taken
from hall_core.clock import SystemClock
from hall_core.errors import GatewayRejected, GatewayUnknown, SettingsInvalid
from simulators.sms_house import Mood
from simulators.sms_smpp import SmppCentre
from tests.controller.houses import NUMBER, QUICK, TEXT, a_house, a_number, a_parcel, running, until
from tests.controller.serving import raw_server


@asynccontextmanager
async def centre_on(port=0, **more):
    made = SmppCentre(a_house(), **more)
    server = await made.serve(port=port)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        made.cut()
        await asyncio.sleep(0)


def a_gateway(port, user="hall:secret@", more=""):
    url = GatewayUrl.read(f"smpp://{user}127.0.0.1:{port}?from=10690000{more}")
    return SmppGateway(url, SystemClock(), QUICK)


async def connected(gateway):
    """Send one notice as soon as the gateway is logged in."""
    await until(lambda: gateway._session._live)
    return await gateway.send(a_parcel())


@pytest.fixture
async def linked():
    """A house, its centre, a gateway that is logged in, and what it was told."""
    async with centre_on(again_s=0.02) as (centre, port):
        gateway = a_gateway(port)
        async with running(gateway) as told:
            await until(lambda: gateway._session._live)
            yield centre, gateway, told


async def test_a_notice_is_taken_with_all_its_characters_and_its_receipt_comes(linked):
    centre, gateway, told = linked
    taken = await gateway.send(a_parcel())
    assert isinstance(taken, Taken)
    (message,) = centre.house.messages
    assert message["text"] == TEXT
    (receipt,) = await told.until(1)
    assert receipt == Receipt(Fate.DELIVERED, taken.provider_id)
    (submit,) = centre.parts
    assert (submit.source, submit.data_coding, submit.registered) == ("10690000", 8, True)


async def test_a_message_is_dropped_by_the_centre_when_it_is_of_no_use(linked):
    centre, gateway, _ = linked
    until = datetime(2099, 11, 23, 17, 32, tzinfo=UTC)
    await gateway.send(a_parcel(not_after=until))
    assert centre.parts[0].validity == "991123173200000+"


async def test_what_the_handset_never_got_is_failed_with_the_reason(linked):
    centre, gateway, told = linked
    centre.house.faults.switch_on("undelivered")
    taken = await gateway.send(a_parcel())
    assert await told.until(1) == [Receipt(Fate.FAILED, taken.provider_id, reason="UNDELIV 001")]


@pytest.mark.parametrize("fault", ["throttle", "unavailable"])
async def test_a_centre_that_is_full_has_not_taken_it(linked, fault):
    centre, gateway, _ = linked
    centre.house.faults.switch_on(fault)
    outcome = await gateway.send(a_parcel())
    assert isinstance(outcome, Busy)
    assert not outcome.down
    assert centre.house.messages == []


async def test_a_limit_or_a_wrong_number_is_final(linked):
    centre, gateway, _ = linked
    with pytest.raises(GatewayRejected, match="0xb"):
        await gateway.send(a_parcel(to="+8612"))
    centre.house.faults.switch_on("limit")
    with pytest.raises(GatewayRejected, match="0x400"):
        await gateway.send(a_parcel())


async def test_more_than_one_message_s_worth_is_not_sent_in_parts(linked):
    centre, gateway, _ = linked
    with pytest.raises(GatewayRejected):
        await gateway.send(a_parcel(text="字" * 71))
    await gateway.send(a_parcel(text="字" * 70))
    assert [m["text"] for m in centre.house.messages] == ["字" * 70]


async def test_no_answer_is_unknown_and_the_answer_that_comes_late_tells(linked):
    centre, gateway, told = linked
    centre.house.faults.switch_on("accept-then-timeout:600")
    with pytest.raises(GatewayUnknown):
        await gateway.send(a_parcel("t9.called.1"))
    receipts = await told.until(2)
    late = next(r for r in receipts if r.client_ref)
    assert (late.fate, late.client_ref) == (Fate.ACCEPTED, "t9.called.1")
    assert {r.provider_id for r in receipts} == {late.provider_id}


async def test_a_cut_after_the_message_was_taken_is_unknown_and_the_session_comes_back(linked):
    centre, gateway, told = linked
    centre.house.faults.switch_on("accept-then-cut")
    with pytest.raises(GatewayUnknown, match="connection lost"):
        await gateway.send(a_parcel())
    centre.house.faults.clear()
    await connected(gateway)
    assert len(centre.house.messages) == 2
    await told.until(2)  # the receipt of the first one, over the second connection


async def test_without_a_connection_nothing_has_left_the_house():
    gateway = a_gateway(1)
    assert await gateway.send(a_parcel()) == Busy("not connected", down=True)
    with pytest.raises(GatewayUnknown):
        await gateway.find(Asked("t1.called.1", "", NUMBER, SystemClock().now()))


async def test_a_wrong_password_is_told_and_nothing_is_sent():
    async with centre_on() as (centre, port):
        gateway = a_gateway(port, user="hall:wrong@")
        async with running(gateway):
            await until(lambda: "refused" in gateway._session._why)
            outcome = await gateway.send(a_parcel())
    assert outcome == Busy("login refused, status 0xe", down=True)
    assert centre.house.messages == []


async def test_no_more_requests_than_the_window_are_on_their_way(linked):
    centre, gateway, _ = linked
    seen = []

    def mood():
        live = gateway._session._live
        seen.append(len(live.pending))
        return Mood({"slow": 20})

    centre.house.mood = mood
    async with asyncio.TaskGroup() as tasks:
        for n in range(40):
            tasks.create_task(gateway.send(a_parcel(f"t{n}.called.1")))
    assert len(centre.house.messages) == 40
    assert max(seen) <= 10


async def test_what_waited_for_the_window_until_it_was_of_no_use_is_not_sent(linked):
    centre, gateway, _ = linked
    centre.house.faults.switch_on("slow:200")
    soon = SystemClock().now() + timedelta(milliseconds=100)
    async with asyncio.TaskGroup() as tasks:
        for n in range(10):
            tasks.create_task(gateway.send(a_parcel(f"t{n}.called.1")))
        await asyncio.sleep(0)
        last = tasks.create_task(gateway.send(a_parcel("late", not_after=soon)))
    assert last.result() == Busy("stale")
    assert len(centre.house.messages) == 10


async def test_a_receipt_that_could_not_be_stored_comes_again(linked):
    centre, gateway, told = linked
    told.stores = False
    await gateway.send(a_parcel())
    await told.until(2)
    told.stores = True
    count = len(told.receipts)
    await told.until(count + 1)
    await until(lambda: not any(c.waiting for c in centre._clients))


async def test_ids_in_hex_and_decimal_are_one():
    async with centre_on(hex_ids=True) as (_centre, port):
        gateway = a_gateway(port, more="&ids=hex")
        async with running(gateway) as told:
            taken = await connected(gateway)
            assert (await told.until(1))[0].provider_id == taken.provider_id


async def test_a_silent_centre_is_left_and_found_again():
    """The other side still holds the connection and says nothing."""

    async def mute(reader, writer):
        await reader.readexactly(4)
        first = int.from_bytes(await reader.readexactly(4), "big")
        assert first == codec.BIND_TRANSCEIVER
        await reader.readexactly(4)
        sequence = int.from_bytes(await reader.readexactly(4), "big")
        writer.write(codec.pdu(first | codec.RESPONSE, sequence, b"\0"))
        logins.append(sequence)
        await reader.read()

    logins = []
    quick = type(QUICK)(answer=0.05, ping=0.05, first_retry=0.01, last_retry=0.01)
    async with raw_server(mute) as port:
        url = GatewayUrl.read(f"smpp://hall:secret@127.0.0.1:{port}?from=1")
        async with running(SmppGateway(url, SystemClock(), quick)):
            await until(lambda: len(logins) >= 3)


@pytest.mark.parametrize("bad", [b"\0" * 16, b"\xff" * 64, b"\0\0\0\x05abcd", b"GET / HTTP/1.1\r\n\r\n"])
async def test_bytes_that_are_not_smpp_end_the_connection_and_nothing_else(bad):
    connections = []

    async def odd(reader, writer):
        connections.append(1)
        writer.write(bad)
        await reader.read(10)

    async with raw_server(odd) as port:
        gateway = a_gateway(port)
        async with running(gateway):
            await until(lambda: len(connections) >= 2)
            assert isinstance(await gateway.send(a_parcel()), Busy)


@pytest.mark.parametrize(
    "url", ["smpp://h:p@centre", "smpp://h:123456789@centre?from=1", "smpp://h:p@centre?from=1&ids=odd"]
)
def test_a_url_that_cannot_work_says_what_to_change(url):
    with pytest.raises(SettingsInvalid) as caught:
        SmppGateway(GatewayUrl.read(url), SystemClock())
    assert "123456789" not in str(caught.value)


# -- bytes of foreign making -------------------------------------------------------------------------------


def test_our_requests_are_byte_for_byte_those_of_another_library(golden):
    """`golden` was recorded from npm smpp 0.5.1, which nobody here wrote."""
    dialect = codec.SmppDialect("hall", "secret")
    assert dialect.login(1) == golden["bind_transceiver"]
    assert dialect.ping(7) == golden["enquire_link"]
    to, source = codec.Address(NUMBER.removeprefix("+"), 1, 1), codec.Address("10690000", 0, 0)
    when = datetime(2026, 11, 23, 1, 32, tzinfo=UTC)
    made = codec.submit_sm(2, source, to, TEXT.encode("utf-16-be"), when)
    assert made == golden["submit_sm"]


def test_foreign_receipts_are_read(golden):
    def read(name):
        frame = codec.SmppDialect("h", "p").read(golden[name])
        assert frame.command == codec.DELIVER_SM
        return codec.receipt_in(frame.body)

    by_text, by_tlv = read("receipt_text"), read("receipt_tlv")
    assert (by_text.message_id, by_text.stat, by_text.err) == ("0a1b2c3d", "DELIVRD", "000")
    assert (by_tlv.message_id, by_tlv.stat) == ("77", "UNDELIV")
    assert read("written_back") is None


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_receipt_that_is_cut_short_is_refused(golden, cut):
    body = golden["receipt_text"][16:]
    with pytest.raises(ValueError, match="cut short"):
        codec.receipt_in(body[: max(1, len(body) - cut * 3)])


@pytest.fixture
def golden(request):
    path = request.config.rootpath / "tests/controller/frames/smpp.json"
    return {name: bytes.fromhex(raw) for name, raw in json.loads(path.read_text())["frames"].items()}


SMSC = r"""
use strict; use warnings; use Net::SMPP;
$| = 1;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34) or die "listen: $!";
print "port ", $listener->sockport, "\n";
my $smpp = $listener->accept or die "accept: $!";
bless $smpp, 'Net::SMPP';
while (my $pdu = $smpp->read_pdu) {
    my $name = Net::SMPP::pdu_tab->{$pdu->{cmd}}{cmd} || sprintf('%x', $pdu->{cmd});
    print "$name\n";
    if ($name eq 'bind_transceiver') {
        print "login $pdu->{system_id} $pdu->{password}\n";
        $smpp->bind_transceiver_resp(system_id => 'perl', seq => $pdu->{seq});
    } elsif ($name eq 'submit_sm') {
        print "text ", unpack('H*', $pdu->{short_message}), "\n";
        print "coding $pdu->{data_coding} receipt $pdu->{registered_delivery} to $pdu->{dest_addr_ton}\n";
        $smpp->submit_sm_resp(message_id => 'abc123', seq => $pdu->{seq});
        $smpp->deliver_sm(source_addr => $pdu->{destination_addr}, destination_addr => '1069',
            esm_class => 4, async => 1,
            short_message => 'id:abc123 sub:001 dlvrd:001 submit date:2611230930 done date:2611230930 stat:DELIVRD err:000 text:');
    } elsif ($name eq 'deliver_sm_resp') {
        print "receipt confirmed $pdu->{status}\n";
    } elsif ($name eq 'enquire_link') {
        $smpp->enquire_link_resp(seq => $pdu->{seq});
    }
}
"""

ESME = r"""
use strict; use warnings; use Net::SMPP;
$| = 1;
my ($port, $to, $hex) = @ARGV;
my $smpp = Net::SMPP->new_transceiver('127.0.0.1', port => $port, system_id => 'hall', password => 'secret',
    smpp_version => 0x34) or die "bind: $!";
my $resp = $smpp->submit_sm(source_addr => '1069', destination_addr => $to, data_coding => 8,
    registered_delivery => 1, short_message => pack('H*', $hex)) or die;
print "taken $resp->{status} $resp->{message_id}\n";
my $pdu = $smpp->read_pdu or die;
print "receipt $pdu->{esm_class} $pdu->{short_message}\n";
$smpp->deliver_sm_resp(message_id => '', seq => $pdu->{seq});
my $alive = $smpp->enquire_link() or die;
print "alive $alive->{status}\n";
$smpp->unbind();
"""


def foreign_smpp():
    """Perl with Net::SMPP, or None."""
    perl = shutil.which("perl")
    there = (
        perl
        and subprocess.run([perl, "-MNet::SMPP", "-e", "1"], capture_output=True, check=False).returncode == 0
    )
    return perl if there else None


async def perl_runs(script, *words):
    return await asyncio.create_subprocess_exec(
        foreign_smpp(), "-e", script, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.peer
@pytest.mark.skipif(foreign_smpp() is None, reason="libnet-smpp-perl is not installed")
async def test_a_foreign_message_centre_takes_our_notice():
    process = await perl_runs(SMSC)
    said = []
    try:
        async with asyncio.timeout(30):
            port = int((await process.stdout.readline()).split()[1])
            gateway = a_gateway(port)
            async with running(gateway) as told:
                taken = await connected(gateway)
                await told.until(1)
                while not said or not said[-1].startswith("receipt confirmed"):
                    said.append((await process.stdout.readline()).decode().strip())
    finally:
        process.kill()
        await process.wait()
        process._transport.close()
    assert "login hall secret" in said
    assert f"text {TEXT.encode('utf-16-be').hex()}" in said
    assert "coding 8 receipt 1 to 1" in said
    assert said[-1] == "receipt confirmed 0"
    assert told.receipts == [Receipt(Fate.DELIVERED, taken.provider_id)]


@pytest.mark.peer
@pytest.mark.skipif(foreign_smpp() is None, reason="libnet-smpp-perl is not installed")
async def test_a_foreign_client_is_served_by_the_simulated_centre():
    async with centre_on() as (centre, port):
        process = await perl_runs(
            ESME, str(port), a_number().removeprefix("+"), TEXT.encode("utf-16-be").hex()
        )
        async with asyncio.timeout(30):
            out, err = await process.communicate()
    said = out.decode().splitlines()
    assert process.returncode == 0, err.decode()
    assert said[0].startswith("taken 0 ")
    assert f"id:{said[0].split()[2]} " in said[1]
    assert "stat:DELIVRD" in said[1]
    assert said[2] == "alive 0"
    assert [m["text"] for m in centre.house.messages] == [TEXT]


def test_a_frame_never_shows_what_is_in_it():
    assert "secret" not in repr(Frame(9, 0, 1, b"hall\0secret\0"))
