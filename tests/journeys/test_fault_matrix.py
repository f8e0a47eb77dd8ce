"""Every device family with every fault its simulator offers, in a real hall: nobody else waits, the hall tells the
truth of the device, nothing old is shown, and after the fault the present stands there.

All cells run at the same time with the timing of a real hall; each is reported by itself.
"""

import asyncio
from collections.abc import Iterator

import pytest
import uvloop

import device_drivers
import firmware_profiles
from edge_agent import keeper
from hall_core.devices.profile import Profile
from simulators.hall import family_of
from tests.journeys.faults_scene import SOON_S, Cell, Verdict, judged

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

#: families with several kinds of devices: one model of each kind; of all others the first model stands for all
MODELS = {
    "keypad_ff68": ["keypad.ff68-21"],
    "modbus_text": ["modbus.led-strip-generic", "modbus.dm36b06", "modbus.embeddedart"],
    "mqtt_native": ["mqtt.display", "mqtt.pager"],
    "pager_pocsag": ["pager.pocsag-serial"],
    "samsung_mdc": ["samsung.qm55r"],
    "satellite": ["satellite.strip", "satellite.printer"],
    "screen_web": ["screen.board"],
}
#: families whose usual wire is a serial line, although the model has a network side as well
SERIAL = {"keypad_ff68", "pager_pocsag", "gsm_at", "card_sam", "modbus_io", "terminal_24h"}
#: families that are reached over the hall's own broker, and how their address ends
AT_A_BROKER = {"mqtt_native": "mqtt", "satellite": "mqtt-box"}
#: families whose devices dial the hall
DIALS = {"rate_ws"}
#: strips are tried on both wires
BOTH = {"modbus.led-strip-generic", "onbon.bx-6k1"}

USUAL, AWAY, PARTLY = frozenset({"usual"}), frozenset({"offline"}), frozenset({"degraded"})
#: fault -> what may be told of the device while it lasts
TRUTH: dict[str, frozenset[str]] = {
    "offline": AWAY,
    "power-cycle": AWAY,
    "silence": AWAY,
    "slow": USUAL,
    "late": USUAL,
    "too-late": AWAY | PARTLY,
    "half-lost": USUAL | PARTLY | AWAY,
    "all-lost": AWAY,
    "duplicate": USUAL,
    "garble": AWAY | PARTLY,
    "collision": USUAL,
    "len-mismatch": USUAL,
    "nack": PARTLY,
    "busy": AWAY | PARTLY,
    "exception": PARTLY,
    "font-missing": PARTLY,
    "stuck": USUAL | PARTLY,
    "paper-low": PARTLY,
    "paper-out": PARTLY,
    "cover-open": AWAY | PARTLY,
    "cutter-jam": PARTLY,
    "accept-then-timeout": USUAL,
    "frozen": AWAY,
    "stale": PARTLY,
    "old-version": USUAL,
    "door-open": PARTLY,
    "on-battery": PARTLY,
    "battery-weak": USUAL,
    "hot": PARTLY,
    "relay-stuck": PARTLY,
}
#: (family, fault) -> what may be told there instead, and why
EXCEPT: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    **{
        (family, what): (USUAL, "it answers nothing: nobody can know, and the hall says `unconfirmed` always")
        for family, faults in {
            "keypad_ff68": (
                "offline",
                "power-cycle",
                "silence",
                "half-lost",
                "all-lost",
                "too-late",
                "garble",
            ),
            "pager_pocsag": ("offline", "power-cycle", "half-lost", "all-lost", "garble"),
        }.items()
        for what in faults
    },
    ("gsm_at", "busy"): (
        USUAL | PARTLY | AWAY,
        "a busy SIM card takes the message a moment later: it is tried again",
    ),
    ("mqtt_native", "silence"): (PARTLY, "it says that it is there, and does not confirm what it shows"),
    ("satellite", "silence"): (PARTLY, "its box beats, and does not answer"),
    ("rate_ws", "silence"): (PARTLY, "its heart beats, and it does not confirm that it asks"),
    ("pager_http", "garble"): (USUAL | PARTLY | AWAY, "TCP has a checksum; a bent body changes nothing"),
}
#: models of which other things are true than of their family
MODEL_EXCEPT: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    ("mqtt.pager", "silence"): (USUAL, "a transmitter has nothing to confirm"),
}
#: faults under which what is true is shown all the same
SHOWN = {"slow", "late", "duplicate", "collision", "len-mismatch", "paper-low", "accept-then-timeout"}
SHOWN |= {"old-version", "door-open", "on-battery", "battery-weak", "hot"}


def variants(kind: str, profile: Profile) -> list[tuple[str, str]]:
    """(what it is, how it is switched on) of a kind of fault; numbers follow the model's patience."""
    patience = profile.timing.response_timeout_ms
    name, _, takes_number = kind.partition(":")
    if not takes_number:
        return [(name, name)]
    return {
        "slow": [("slow", f"slow:{patience // 6}")],
        "late": [("late", f"late:{patience // 6}"), ("too-late", f"late:{patience * 3 // 2}")],
        "drop": [("half-lost", "drop:50"), ("all-lost", "drop:100")],
        "accept-then-timeout": [(name, f"{name}:1000"), (name, f"{name}:9000")],
    }.get(name, [(name, name)])


def cells_of(profile: Profile) -> Iterator[Cell]:
    """All faults of one model, on each of its usual wires."""
    for scheme in schemes(profile):
        for kind in family_of(profile.family).FAULTS:
            for what, fault in variants(kind, profile):
                usual = EXCEPT.get((profile.family, what), (TRUTH[what], ""))
                truth, _ = MODEL_EXCEPT.get((profile.id, what), usual)
                yield Cell(profile.id, scheme, fault, truth, shown=what in SHOWN, unseen=what == "stuck")


def schemes(profile: Profile) -> list[str]:
    """The usual wires of a model."""
    if profile.family == "screen_web":
        return ["web"]
    if profile.family in AT_A_BROKER:
        return [AT_A_BROKER[profile.family]]
    if profile.family in DIALS:
        return ["dials"]
    if profile.id in BOTH:
        return ["tcp", "serial"]
    return ["serial"] if profile.family in SERIAL or profile.tcp is None else ["tcp"]


def all_cells() -> list[Cell]:
    """The matrix."""
    profiles = firmware_profiles.all_profiles()
    known = profiles.values()
    found: list[Cell] = []
    for family in device_drivers.families():
        models = MODELS.get(family) or [next(p.id for p in known if p.family == family)]
        for model in models:
            found += cells_of(profiles[model])
    return found


CELLS = all_cells()


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """All cells that were asked for, played at the same time."""
    wanted = {item.callspec.params["cell"] for item in request.session.items if _is_cell(item)}
    folder = tmp_path_factory.mktemp("matrix")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(judged([cell for cell in CELLS if cell in wanted], folder))


def _is_cell(item: pytest.Item) -> bool:
    return item.module is __import__(__name__, fromlist=["_"]) and "cell" in getattr(
        getattr(item, "callspec", None), "params", {}
    )


def _case(cell: Cell) -> object:
    marks = [pytest.mark.mosquitto] if cell.scheme.startswith("mqtt") else []
    return pytest.param(cell, marks=marks, id=cell.name)


@pytest.mark.parametrize("cell", [_case(cell) for cell in CELLS])
def test_a_device_that_fails_stops_nobody_and_is_told_truthfully(
    cell: Cell, verdicts: dict[str, Verdict]
) -> None:
    complaints = verdicts[cell.name].complaints
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("profile", firmware_profiles.all_profiles().values(), ids=lambda p: p.id)
def test_by_its_own_timing_no_model_can_be_silent_for_longer_than_15_s(profile: Profile) -> None:
    timing, line = profile.timing, profile.serial is not None
    answer_s, quiet_s = timing.response_timeout_ms / 1000, timing.quarantine_ms / 1000 * line
    first_s = (timing.retries + 1) * answer_s + timing.retries * quiet_s
    again_s = (timing.down_after - 1) * (max(keeper.AGAIN_S, quiet_s) + answer_s)
    at_broker = profile.family in AT_A_BROKER  # there the last will speaks, nobody asks
    assert timing.probe_s + (0 if at_broker else first_s + again_s) <= SOON_S


def test_every_fault_of_every_simulator_is_tried() -> None:
    profiles = firmware_profiles.all_profiles()
    tried = {(profiles[c.profile].family, c.fault.partition(":")[0]) for c in CELLS}
    offered = {
        (family, kind.partition(":")[0])
        for family in device_drivers.families()
        for kind in family_of(family).FAULTS
    }
    assert tried == offered
