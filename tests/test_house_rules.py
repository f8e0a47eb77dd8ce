"""Rules of the house that no linter knows. Each test names the file that breaks one."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from hall_core import errors
from hall_core.wire import envelope
from hall_core.wire.topics import TOPICS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [
    *("hall_core", "hall_ui", "edge_agent", "controller"),
    *("device_drivers", "firmware_profiles", "simulators"),
]
#: what is not read by people: pictures, fonts, and what others wrote
_BINARY = {".png", ".jpg", ".ico", ".woff", ".woff2", ".ttf", ".bin", ".gz", ".webp", ".pdf"}
LONGEST = 400


def house_files() -> list[Path]:
    """Every file that is, or with the next commit would be, part of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in house_files():
        if path.suffix not in _BINARY:
            yield path.relative_to(ROOT), path.read_text("utf-8", errors="replace")


def python_files() -> list[Path]:
    return [p for p in house_files() if p.suffix == ".py" or p == ROOT / "dev"]


def modules() -> list[str]:
    """Every importable module of the packages; programs' doors and migrations run when imported."""
    names = []
    for path in python_files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in PACKAGES and parts[-1] != "__main__" and "migrations" not in parts:
            names.append(".".join(parts).removesuffix(".__init__"))
    return names


def run_python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def places(pattern: str, *, but: frozenset[str] = frozenset()) -> list[str]:
    """`file:line` of every match in the texts of the house."""
    found = []
    for path, text in texts():
        if path.name not in but:
            found += [f"{path}:{text.count(chr(10), 0, m.start()) + 1}" for m in re.finditer(pattern, text)]
    return found


def test_no_python_file_is_longer_than_400_lines() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in python_files()}
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}


def test_generated_pages_are_what_the_code_says() -> None:
    done = run_python("docs/generate.py", "--check")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_error_class_is_drawn_under_its_parent_and_exported() -> None:
    drawn: dict[str, str | None] = {"QuiethallError": None}
    above = [(0, "QuiethallError")]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]+)([A-Z]\w+(?: · [A-Z]\w+)*)", line)
        if not found:
            continue
        depth = len(found[1])
        above = [(d, name) for d, name in above if d < depth]
        names = found[2].split(" · ")
        drawn |= dict.fromkeys(names, above[-1][1])
        above.append((depth, names[-1]))
    classes = {
        name: kind.__bases__[0].__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.QuiethallError) and kind is not errors.QuiethallError
    }
    assert {name: parent for name, parent in drawn.items() if parent} == classes
    assert sorted(errors.__all__) == sorted(drawn)


def test_every_exported_name_exists() -> None:
    missing = []
    for name in modules():
        module = importlib.import_module(name)
        missing += [f"{name}.{x}" for x in getattr(module, "__all__", ()) if not hasattr(module, x)]
    assert missing == []


def test_the_brokers_access_list_is_the_one_made_from_the_topic_table() -> None:
    page = (ROOT / "docs/acl.md").read_text("utf-8")
    made = re.search(r"^```\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    used = (ROOT / "deploy/mosquitto/acl").read_text("utf-8")
    lines = [line for line in used.splitlines() if not line.startswith("#")]
    assert made
    assert [line for line in lines if line] == [line for line in made[1].splitlines() if line]


def test_every_topic_has_a_message_class() -> None:
    for row in TOPICS:
        assert issubclass(getattr(envelope, row.message), envelope.Message)
        assert row.message in envelope.__all__


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_two_commands_of_the_readme_come_first_and_exist(readme: str) -> None:
    shown = re.findall(r"^\./dev (\w+)", (ROOT / readme).read_text("utf-8"), flags=re.MULTILINE)
    assert shown[:2] == ["demo", "test"]
    said = run_python("dev", "--help")
    assert said.returncode == 0, said.stderr
    assert set(shown) <= set(re.findall(r"^ {2,}(\w+)  ", said.stdout, flags=re.MULTILINE))


def test_no_number_that_could_be_somebodys_phone_or_identity_card_is_written_down() -> None:
    edge = r"(?<![0-9A-Za-z.])", r"(?![0-9A-Za-z])"
    assert places(f"{edge[0]}1[3-9]\\d{{9}}{edge[1]}") == []
    assert places(f"{edge[0]}\\d{{17}}[\\dXx]{edge[1]}") == []


def test_no_path_of_anybodys_machine_is_written_down() -> None:
    folders = ("work", "root", "tmp/bash", "home/[a-z]+")
    assert places(rf"(?<![\w.~}}-])/(?:{'|'.join(folders)})/") == []


def test_nothing_is_left_to_do_or_expected_to_fail() -> None:
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "xf" + "ail"])
    left = [
        p for p in places(rf"\b({words})\b") if p.split(":")[0].endswith((".py", ".js", ".html", ".yaml"))
    ]
    assert left == []


def settings_classes() -> list[type[BaseSettings]]:
    found = []
    for package in ("edge_agent", "controller"):
        module = importlib.import_module(f"{package}.settings")
        kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass)]
        found += [k for k in kinds if issubclass(k, BaseSettings) and k.__module__ == module.__name__]
    return found


def test_every_setting_is_documented_with_its_meaning() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    assert len(settings_classes()) >= 2
    for kind in settings_classes():
        for name, field in kind.model_fields.items():
            assert f"`{kind.model_config['env_prefix']}{name.upper()}`" in page
            assert field.description, f"{kind.__name__}.{name} says nothing of itself"


def profiles() -> list[Path]:
    return sorted((ROOT / "firmware_profiles").glob("*.yaml"))


@pytest.mark.parametrize("path", profiles(), ids=lambda p: p.stem)
def test_golden_frames_are_bytes_in_hex_with_a_source(path: Path) -> None:
    profile = yaml.safe_load(path.read_text("utf-8"))
    assert profile["id"] == path.name.removesuffix(".yaml")
    for frame in profile.get("frames", ()):
        assert bytes.fromhex(frame["sent"]), frame["name"]
        bytes.fromhex(frame.get("answer", ""))
        assert frame["source"].strip()


def test_the_changelog_tells_what_is_unreleased() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    section = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert section
    assert re.search(r"^- \w", section[1], flags=re.MULTILINE)


def test_every_link_between_papers_leads_somewhere() -> None:
    broken = []
    for path, text in texts():
        targets = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text) if path.suffix == ".md" else []
        broken += [f"{path} -> {t}" for t in targets if not (ROOT / path.parent / t).exists()]
    assert broken == []


def test_no_two_test_files_bear_the_same_import_name() -> None:
    names: dict[str, list[str]] = {}
    for path in python_files():
        if path.name.startswith("test_") and not (path.parent / "__init__.py").exists():
            names.setdefault(path.stem, []).append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in names.items() if len(files) > 1} == {}


def test_every_test_is_a_sentence_of_its_own() -> None:
    twice = []
    for path in python_files():
        if path.name.startswith("test_"):
            tree = ast.parse(path.read_text("utf-8"))
            names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            tests = [name for name in names if name.startswith("test_")]
            twice += [f"{path.name}: {name}" for name in {t for t in tests if tests.count(t) > 1}]
    assert twice == []
