"""`./dev`, the one door for people."""

import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dev():
    """The script as a module of its own."""
    loader = SourceFileLoader("dev_script", str(ROOT / "dev"))
    spec = spec_from_loader("dev_script", loader)
    module = module_from_spec(spec)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = written
    return module


def test_it_needs_nothing_but_the_standard_library(dev):
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "dev"), "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in dev.COMMANDS:
        assert f"  {name} " in done.stdout
    assert "./dev demo --story outage" in done.stdout


def test_an_unknown_command_is_refused(dev):
    done = subprocess.run(
        [sys.executable, str(ROOT / "dev"), "dmeo"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "dmeo" in done.stderr


def test_an_old_python_is_told_what_is_needed(dev, monkeypatch, capsys):
    monkeypatch.setattr(dev, "OLDEST", (99, 0))
    monkeypatch.setattr(dev.shutil, "which", lambda *_, **__: None)
    with pytest.raises(SystemExit) as ended:
        dev.main()
    assert ended.value.code == 2
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def pip_says(dev, monkeypatch, text):
    monkeypatch.setattr(dev.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=text))
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY"):
        monkeypatch.delenv(name, raising=False)


def test_the_machines_own_package_index_is_handed_to_uv(dev, monkeypatch):
    pip_says(dev, monkeypatch, "global.index-url='https://mirror.example/simple'\n")
    env = dev.uv_environment()
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_SYSTEM_CERTS"] == "1"
    assert "UV_INDEX_STRATEGY" not in env


def test_further_indexes_and_folders_are_handed_on_as_pip_would_take_them(dev, monkeypatch):
    text = ":env:.find-links='/a /b'\nglobal.extra-index-url='https://one.example https://two.example'\n"
    pip_says(dev, monkeypatch, text)
    env = dev.uv_environment()
    assert env["UV_INDEX"] == "https://one.example https://two.example"
    assert env["UV_FIND_LINKS"] == "/a,/b"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_what_the_environment_says_goes_before_what_pips_files_say(dev, monkeypatch):
    text = ":env:.index-url='https://env.example'\nglobal.index-url='https://file.example'\n"
    pip_says(dev, monkeypatch, text)
    assert dev.uv_environment()["UV_DEFAULT_INDEX"] == "https://env.example"


def test_a_change_of_the_lock_makes_the_environment_stale(dev, monkeypatch, tmp_path):
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "LOCK", tmp_path / "requirements.lock")
    before = dev.fingerprint()
    assert dev.fingerprint() == before
    (tmp_path / "requirements.lock").write_text("two")
    assert dev.fingerprint() != before


def lacks(dev, monkeypatch, *names):
    monkeypatch.setattr(dev, "missing_packages", lambda: list(names))
    monkeypatch.setattr(dev.shutil, "which", lambda *_, **__: None)


def test_under_ci_a_missing_program_is_a_failure_and_never_a_skip(dev, monkeypatch, capsys):
    lacks(dev, monkeypatch, "mosquitto")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit) as ended:
        dev.ensure_packages()
    assert ended.value.code == 1
    assert "mosquitto" in capsys.readouterr().out


def test_elsewhere_a_missing_program_is_named_with_the_command_that_installs_it(dev, monkeypatch, capsys):
    lacks(dev, monkeypatch, "mosquitto", "socat")
    monkeypatch.delenv("CI", raising=False)
    dev.ensure_packages()
    assert "sudo apt-get install -y --no-install-recommends mosquitto socat" in capsys.readouterr().out


def test_root_gets_missing_packages_installed(dev, monkeypatch):
    missing, ran = ["mosquitto"], []

    def run(argv, **options):
        ran.append((argv, options["env"]["DEBIAN_FRONTEND"]))
        if "install" in argv:
            missing.clear()
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    monkeypatch.setattr(dev, "missing_packages", lambda: list(missing))
    monkeypatch.setattr(dev.shutil, "which", lambda *_, **__: "/usr/bin/apt-get")
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0)
    monkeypatch.setattr(dev.subprocess, "run", run)
    dev.ensure_packages()
    assert [argv[:2] for argv, _ in ran] == [["apt-get", "update"], ["apt-get", "install"]]
    assert {frontend for _, frontend in ran} == {"noninteractive"}


def test_paths_people_give_belong_to_where_they_stand(dev, monkeypatch, tmp_path):
    became = []
    monkeypatch.setattr(dev, "ensure_environment", lambda: None)
    monkeypatch.setattr(dev, "become", became.append)
    monkeypatch.chdir(tmp_path)
    dev.demo(["--for", "60", "--report", "out.json", "--folder=here"])
    assert became[0][2:] == [
        "--for",
        "60",
        "--report",
        str(tmp_path / "out.json"),
        f"--folder={tmp_path / 'here'}",
    ]


def test_the_lock_names_no_package_index(dev):
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert dev.LOCK_COMMAND in text
    assert not [row for row in text.splitlines() if row.startswith("--") or "://" in row]


def test_continuous_integration_goes_through_the_same_door():
    text = (ROOT / ".ci" / "run").read_text("utf-8")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in text
    assert text.index("dev check") < text.index("dev test")
