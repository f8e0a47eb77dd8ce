"""`hall-sim demo` as people and machines start it: nothing lost, nothing doubled, nothing left behind."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("demo")]

FAMILIES = {
    *("modbus_text", "onbon_k", "keypad_ff68", "escpos", "huidu_sdk"),
    *("mqtt_native", "satellite", "screen_web"),
}
READY = "Ctrl-C stops everything"


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "simulators", "demo", "--folder", str(folder), *options]


def run_for(seconds: int, folder: Path, *options: str):
    """An unattended run: its report and what it printed."""
    report = folder / "report.json"
    argv = command(folder / ".demo", "--for", str(seconds), "--report", str(report), "--seed", "7", *options)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=200, check=False)
    assert report.exists(), done.stdout + done.stderr
    return done, json.loads(report.read_text("utf-8"))


@contextmanager
def running(folder: Path, *options: str):
    """A demo somebody watches; yields it and its whole family of processes once it is ready."""
    demo = subprocess.Popen(
        command(folder, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    family: list[psutil.Process] = []
    try:
        said = ""
        for line in demo.stdout:
            said += line
            if READY in line:
                break
        assert READY in said, said
        family = psutil.Process(demo.pid).children(recursive=True)
        yield demo, family
    finally:
        demo.kill()
        demo.stdout.close()
        demo.wait()
        psutil.wait_procs(family, timeout=5)


def assert_a_good_run(done, report):
    assert done.returncode == 0, done.stdout + done.stderr
    assert (report["lost"], report["duplicates"]) == (0, 0), report["problems"]
    shown: dict[str, int] = {}
    for hall in report["halls"]:
        assert hall["issued"] > 0
        assert hall["called"] > 0
        assert hall["served"] > 0
        assert hall["facts"]["journal"] == hall["facts"]["controller"]
        for family, count in hall["shown"].items():
            shown[family] = shown.get(family, 0) + count
    assert set(shown) == FAMILIES
    assert all(count > 0 for count in shown.values()), shown
    assert report["sms"]["accepted"] > 0
    assert report["sms"]["doubled"] == 0
    assert report["latency_ms"]["call_to_strip"]["p50"] > 0


@pytest.mark.parametrize("broker", ["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def test_a_run_loses_nothing_and_doubles_nothing(broker, tmp_path, request):
    if broker == "mosquitto":
        request.getfixturevalue("mosquitto")
    done, report = run_for(20, tmp_path, "--broker", broker)
    assert_a_good_run(done, report)
    assert report["broker"] == broker
    assert all(hall["same_state"] for hall in report["halls"])
    assert not (tmp_path / ".demo" / "data").exists()


def test_a_hall_that_was_cut_off_catches_up_with_nothing_lost(tmp_path):
    done, report = run_for(30, tmp_path, "--story", "outage")
    assert_a_good_run(done, report)
    assert "本地运行中" in done.stdout
    assert "待同步归零" in done.stdout


def test_a_broker_that_loses_its_power_loses_nothing_of_ours(tmp_path):
    done, report = run_for(24, tmp_path, "--story", "broker")
    assert_a_good_run(done, report)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing_running(number, tmp_path):
    with running(tmp_path / ".demo") as (demo, family):
        known = json.loads((tmp_path / ".demo" / "demo.json").read_text("utf-8"))
        assert len(family) == 5  # broker, controller, three agents
        assert {hall["level"] for hall in known["halls"]} == {"district", "street", "community"}
        demo.send_signal(number)
        demo.stdout.read()
        assert demo.wait(timeout=3) == 0
        assert not [process for process in family if process.is_running()]


def test_even_killing_the_demo_leaves_nothing_running(tmp_path):
    with running(tmp_path / ".demo", "--no-citizens") as (demo, family):
        demo.kill()
        gone, alive = psutil.wait_procs(family, timeout=5)
        assert alive == []
        assert len(gone) == 5


def test_a_program_that_dies_ends_the_demo_and_is_named(tmp_path):
    with running(tmp_path / ".demo", "--no-citizens") as (demo, family):
        agent = next(p for p in family if "hall-agent" in " ".join(p.cmdline()))
        agent.kill()
        said = demo.stdout.read()
        assert demo.wait(timeout=5) == 1
        assert "agent-" in said
        assert "ended with code -9" in said
        assert not [process for process in family if process.is_running()]


def test_a_second_demo_beside_the_first_is_refused(tmp_path):
    with running(tmp_path / ".demo", "--no-citizens") as (demo, _):
        second = subprocess.run(
            command(tmp_path / ".demo"), capture_output=True, text=True, timeout=30, check=False
        )
        assert second.returncode == 1
        assert str(demo.pid) in second.stdout
