"""CMPP: our client against the simulated gateway, and both against bytes of foreign making."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from controller.gateways import cmpp_codec as codec
from controller.gateways.address import GatewayUrl
from controller.gateways.cmpp import CmppGateway
from controller.gateways.session import Frame
from controller.use_cases.ports import Busy, Fate, Receipt, Taken
from hall_core.clock import SystemClock
from hall_core.errors import GatewayRejected, GatewayUnknown, SettingsInvalid
from simulators.sms_cmpp import CmppGate
from tests.controller.houses import QUICK, TEXT, a_house, a_parcel, running, until
from tests.controller.serving import raw_server

NATIONAL = "0" * 7 + "4321"


@asynccontextmanager
async def gate_on(**more):
    made = CmppGate(a_house(), **more)
    server = await made.serve()
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        made.cut()
        await asyncio.sleep(0)


def a_gateway(port, version="2.0", secret="secret"):
    url = f"cmpp://900001:{secret}@127.0.0.1:{port}?from=10690000&service=NOTICE&version={version}"
    return CmppGateway(GatewayUrl.read(url), SystemClock(), QUICK)


@pytest.fixture(params=["2.0", "3.0"])
async def linked(request):
    """A gate, a client of this version that is logged in, and what it was told."""
    async with gate_on(again_s=0.05) as (gate, port):
        gateway = a_gateway(port, request.param)
        async with running(gateway) as told:
            await until(lambda: gateway._session._live)
            yield gate, gateway, told


async def test_a_notice_is_taken_with_all_its_characters_and_its_report_comes(linked):
    gate, gateway, told = linked
    taken = await gateway.send(a_parcel())
    assert isinstance(taken, Taken)
    (message,) = gate.house.messages
    assert message["text"] == TEXT
    assert await told.until(1) == [Receipt(Fate.DELIVERED, taken.provider_id)]


async def test_what_the_handset_never_got_is_failed_with_the_reason(linked):
    gate, gateway, told = linked
    gate.house.faults.switch_on("undelivered")
    taken = await gateway.send(a_parcel())
    assert await told.until(1) == [Receipt(Fate.FAILED, taken.provider_id, reason="UNDELIV")]


async def test_flow_control_means_later_and_other_results_mean_never(linked):
    gate, gateway, _ = linked
    gate.house.faults.switch_on("throttle")
    assert await gateway.send(a_parcel()) == Busy("flow control")
    gate.house.faults.clear()
    with pytest.raises(GatewayRejected, match="13"):
        await gateway.send(a_parcel(to="+8612"))
    with pytest.raises(GatewayRejected):
        await gateway.send(a_parcel(text="字" * 71))
    assert gate.house.messages == []


async def test_no_answer_is_unknown_and_the_answer_that_comes_late_tells(linked):
    gate, gateway, told = linked
    gate.house.faults.switch_on("accept-then-timeout:600")
    with pytest.raises(GatewayUnknown):
        await gateway.send(a_parcel("t9.called.1"))
    late = next(r for r in await told.until(2) if r.client_ref)
    assert (late.fate, late.client_ref) == (Fate.ACCEPTED, "t9.called.1")


async def test_a_cut_is_unknown_and_the_report_comes_over_the_next_connection(linked):
    gate, gateway, told = linked
    gate.house.faults.switch_on("accept-then-cut")
    with pytest.raises(GatewayUnknown, match="connection lost"):
        await gateway.send(a_parcel())
    gate.house.faults.clear()
    (receipt,) = await told.until(1)
    assert receipt.fate is Fate.DELIVERED
    assert len(gate.house.messages) == 1


async def test_a_report_that_could_not_be_stored_comes_again(linked):
    gate, gateway, told = linked
    told.stores = False
    await gateway.send(a_parcel())
    await told.until(2)
    told.stores = True
    await told.until(len(told.receipts) + 1)
    await until(lambda: not any(p.waiting for p in gate._providers))


async def test_a_wrong_secret_is_told():
    async with gate_on() as (_gate, port):
        gateway = a_gateway(port, secret="wrong")
        async with running(gateway):
            await until(lambda: "refused" in gateway._session._why)
            assert await gateway.send(a_parcel()) == Busy("login refused: authentication", down=True)


@pytest.mark.parametrize(
    "url", ["cmpp://900001:s@isp", "cmpp://9000011:s@isp?from=1", "cmpp://9:s@isp?from=1&version=4"]
)
def test_a_url_that_cannot_work_says_what_to_change(url):
    with pytest.raises(SettingsInvalid):
        CmppGateway(GatewayUrl.read(url), SystemClock())


# -- bytes of foreign making -------------------------------------------------------------------------------


@pytest.fixture
def golden(request):
    path = request.config.rootpath / "tests/controller/frames/cmpp.json"
    return {name: bytes.fromhex(raw) for name, raw in json.loads(path.read_text())["frames"].items()}


def dialect(secret="888888", version=0x21, stamp="1021080510"):
    return codec.CmppDialect("900001", secret, version, lambda: stamp)


def test_our_login_is_byte_for_byte_the_foreign_one(golden):
    assert dialect().login(0x17) == golden["connect"]
    foreign = golden["pycmpp_connect"]
    stamp = f"{int.from_bytes(foreign[-4:], 'big'):010d}"
    assert dialect("secret", foreign[34], stamp).login(1) == foreign


@pytest.mark.parametrize("name", ["connect_resp_v2", "connect_resp_v3"])
def test_foreign_answers_to_a_login_are_read(golden, name):
    ours = dialect()
    frame = ours.read(golden[name])
    assert ours.refusal(frame) == ""
    status = {"connect_resp_v2": 0, "connect_resp_v3": 3}[name]
    refused = bytearray(frame.body)
    refused[status] = 3
    assert ours.refusal(Frame(frame.command, 0, 1, bytes(refused))) == "login refused: authentication"


#: the layout as chapter 7.4.3.1 gives it: name, bytes in 2.0, bytes in 3.0
FIELDS = [
    ("header", 12, 12), ("Msg_Id", 8, 8), ("Pk_total", 1, 1), ("Pk_number", 1, 1), ("Registered_Delivery", 1, 1),
    ("Msg_level", 1, 1), ("Service_Id", 10, 10), ("Fee_UserType", 1, 1), ("Fee_terminal_Id", 21, 32),
    ("Fee_terminal_type", 0, 1), ("TP_pId", 1, 1), ("TP_udhi", 1, 1), ("Msg_Fmt", 1, 1), ("Msg_src", 6, 6),
    ("FeeType", 2, 2), ("FeeCode", 6, 6), ("ValId_Time", 17, 17), ("At_Time", 17, 17), ("Src_Id", 21, 21),
    ("DestUsr_tl", 1, 1), ("Dest_terminal_Id", 21, 32), ("Dest_terminal_type", 0, 1), ("Msg_Length", 1, 1),
    ("Msg_Content", 30, 30), ("LinkID", 8, 20),
]  # fmt: skip


def fields_of(frame, version):
    found, at = {}, 0
    for name, *sizes in FIELDS:
        size = sizes[version - 2]
        found[name], at = frame[at : at + size], at + size
    assert at == len(frame)
    return found


@pytest.mark.parametrize("version", [2, 3])
def test_our_submit_differs_from_the_foreign_one_only_where_it_means_something_else(golden, version):
    foreign = golden[f"submit_v{version}"]
    sender = codec.Sender("900001", "900001", "test", "02", "10")
    text = "测试gocmpp submit".encode("utf-16-be")
    when = datetime(2026, 11, 23, 1, 32, tzinfo=UTC)
    ours = codec.submit(0x17, {2: 0x20, 3: 0x30}[version], sender, NATIONAL, text, when)
    mine, theirs = fields_of(ours, version), fields_of(foreign, version)
    # They charge the reader and stay valid until another time.
    different = {name for name in mine if mine[name] != theirs[name]}
    assert different == {"Msg_level", "Fee_terminal_Id", "ValId_Time"}
    assert mine["ValId_Time"] == b"261123093200032+\0"
    assert mine["Fee_terminal_Id"].strip(b"\0") == b""


@pytest.mark.parametrize("version", [2, 3])
def test_foreign_answers_to_a_submit_are_read(golden, version):
    frame = dialect().read(golden[f"submit_resp_v{version}"])
    assert codec.taken(frame) == ("b2b9da8000010000", 0)


def deliver(report, *, new):
    size = 32 if new else 21
    head = (
        bytes(8) + b"10690000".ljust(21, b"\0") + bytes(10) + bytes(3) + NATIONAL.encode().ljust(size, b"\0")
    )
    body = head + b"\0" * new + b"\1" + bytes([len(report)]) + report + bytes(20 if new else 8)
    return Frame(codec.DELIVER, 0, 1, body)


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("long", [False, True])
def test_a_foreign_report_is_read_in_both_lengths_found_in_the_field(golden, new, long):
    report = golden["report"]
    assert len(report) == 60
    if long:
        report = report[:56] + bytes(11) + report[56:]
    assert codec.report_in(deliver(report, new=new)) == codec.Report("b4c5530000010000", "DELIVRD")


def test_what_somebody_wrote_back_is_no_report_and_is_confirmed_as_the_foreign_side_expects(golden):
    frame = dialect().read(golden["deliver_v3"])
    assert codec.report_in(frame) is None
    assert codec.deliver_resp(frame, codec.V3) == golden["deliver_resp_v3"]


@pytest.mark.parametrize("cut", [1, 10, 60, 100])
def test_a_report_that_is_cut_short_is_refused(golden, cut):
    whole = deliver(golden["report"], new=False)
    with pytest.raises(ValueError, match="cut short"):
        codec.report_in(Frame(whole.command, 0, 1, whole.body[:-cut]))


async def test_a_foreign_client_s_session_is_served_by_the_simulated_gate(golden):
    """Bytes that pycmpp sent: a login, a message, one in two parts."""
    async with gate_on() as (gate, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        results = []
        for name in ("pycmpp_connect", "pycmpp_submit"):
            writer.write(golden[name])
            size = int.from_bytes(await reader.readexactly(4), "big")
            results.append((await reader.readexactly(size - 4))[8:])
        writer.close()
    assert results[0][0] == 0  # logged in
    assert results[1][8:] == b"\0"  # taken
    assert [m["text"] for m in gate.house.messages] == [TEXT]


@pytest.mark.parametrize("version", [2, 3])
async def test_a_foreign_submit_is_read_by_the_simulated_gate(golden, version):
    async with gate_on(login=("900001", "888888")) as (gate, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        login = dialect(version={2: 0x20, 3: 0x30}[version]).login(1)
        writer.write(login + golden[f"submit_v{version}"])
        await reader.readexactly({2: 30 + 21, 3: 33 + 24}[version])
        writer.close()
    assert [m["text"] for m in gate.house.messages] == ["测试gocmpp submit"]


class Replayed:
    """A foreign server's side of a session, frame for frame; `ours` are the frames it was sent."""

    def __init__(self, session):
        self.session, self.ours = session, []

    async def __call__(self, reader, writer):
        for who, *what in self.session:
            if who == "they":
                writer.write(bytes.fromhex(what[0]))
                continue
            size = int.from_bytes(await reader.readexactly(4), "big")
            rest = await reader.readexactly(size - 4)
            self.ours.append([rest[:4].hex(), size])
        await reader.read()


@pytest.mark.parametrize("version", ["2.0", "3.0"])
async def test_a_session_with_a_foreign_server_goes_as_it_went_live(request, version):
    path = request.config.rootpath / "tests/controller/frames/cmpp_session.json"
    session = json.loads(path.read_text("utf-8"))["sessions"][version]
    server = Replayed(session)
    async with raw_server(server) as port:
        gateway = a_gateway(port, version, secret="888888")
        async with running(gateway) as told:
            taken = await gateway.send(a_parcel(to=f"+86{NATIONAL}"))
            assert taken == Taken("b2b9da8000010001")
            assert await told.until(1) == [Receipt(Fate.DELIVERED, taken.provider_id)]
            await until(lambda: len(server.ours) == sum(who == "we" for who, *_ in session))
    assert server.ours == [what for who, *what in session if who == "we"]
