"""The box itself: interpreter, disk, journal, accounts, clock. Nothing changes; the agent may be running."""

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from statistics import median

from edge_agent.accounts import Accounts
from edge_agent.doctor.check import Check, bad, note, well
from edge_agent.doctor.machine import Machine, clock_synchronised, filesystem_of
from hall_core.clock import Clock
from hall_core.errors import SettingsInvalid
from hall_core.hosts import is_loopback

__all__ = ["accounts", "clock_right", "data_folder", "disk", "interpreter", "journal"]

_PYTHON, _SQLITE = (3, 11), (3, 31, 0)
#: a hall writes less than 100 MB a year
_LITTLE, _TOO_LITTLE = 1 << 30, 200 << 20
_SLOW_MS = 100.0
_COMMITS = 5
#: what does not outlive a power cut, or the container
_FLEETING, _LAYERS = {"tmpfs", "ramfs"}, {"overlay"}


def interpreter() -> Check:
    """Python and SQLite."""
    python, sqlite = ".".join(map(str, sys.version_info[:3])), sqlite3.sqlite_version
    if sys.version_info < _PYTHON or sqlite3.sqlite_version_info < _SQLITE:
        return bad("python", f"Python {python}、SQLite {sqlite} 过旧，需要 3.11 和 3.31 (too old: upgrade)")
    return well("python", f"Python {python}, SQLite {sqlite}")


def data_folder(data: Path, machine: Machine) -> Check:
    """There, writable, on a disk that keeps what it is given, with room."""
    if not data.is_dir():
        return bad("data", f"{data} 不存在，请建立并交给代理的用户 (make it: install -d -m 700 {data})")
    if not os.access(data, os.W_OK | os.X_OK):
        return bad(
            "data", f"{data} 不可写，请用代理的用户运行，或更正所有者 (not writable: run as its owner)"
        )
    kind = filesystem_of(data, machine)
    if kind in _FLEETING:
        return bad("data", f"{data} 在内存盘 {kind} 上，断电即失，请改用磁盘 (in memory: choose a disk)")
    free = shutil.disk_usage(data).free
    room = f"{free / (1 << 30):.1f} GB"
    if free < _TOO_LITTLE:
        return bad("data", f"{data} 只剩 {room}，请清理磁盘 (disk nearly full: free some space)")
    if kind in _LAYERS:
        return note("data", f"{data} 在容器层 {kind} 上，容器删除即失，请挂载卷 (mount a volume here)")
    if free < _LITTLE:
        return note("data", f"{data} 还剩 {room}，请留意 (space is getting short)")
    return well("data", f"{data} 可写，剩余 {room} (writable, {kind or 'unknown file system'})")


def disk(data: Path, clock: Clock) -> Check:
    """Commits as the journal makes them: WAL with synchronous=FULL, in a file of its own that is removed."""
    try:
        with tempfile.TemporaryDirectory(prefix="doctor-", dir=data) as folder:
            took_ms = median(_commits(Path(folder) / "try.db", clock))
    except (OSError, sqlite3.Error) as error:
        return bad("disk", f"{data} 不能可靠写入：{error}，请检查磁盘 (the disk does not take a commit)")
    if took_ms > _SLOW_MS:
        return note("disk", f"同步写入 {took_ms:.0f} ms，取号会变慢，请换更快的盘 (slow: change the card)")
    return well("disk", f"WAL、synchronous=FULL 写入 {took_ms:.1f} ms (a commit reaches the disk)")


def _commits(path: Path, clock: Clock) -> list[float]:
    took = []
    with closing(sqlite3.connect(path, isolation_level=None)) as trial:
        mode = trial.execute("PRAGMA journal_mode=wal").fetchone()[0]
        trial.execute("PRAGMA synchronous=FULL")
        level = trial.execute("PRAGMA synchronous").fetchone()[0]
        if (mode, level) != ("wal", 2):
            raise sqlite3.OperationalError(f"journal_mode={mode} synchronous={level}")
        trial.execute("CREATE TABLE t (x)")
        for n in range(_COMMITS):
            began = clock.monotonic()
            trial.execute("INSERT INTO t VALUES (?)", (n,))
            took.append((clock.monotonic() - began) * 1000)
    return took


def journal(path: Path, machine: Machine) -> Check:
    """Sound, and how much of it the controller has not acknowledged. Read only: the agent may hold it."""
    if not path.exists():
        return note("journal", "还没有日志，首次启动时建立 (none yet: made at the first start)")
    if not os.access(path, os.R_OK):
        return note("journal", f"无权读取 {path}，请用代理的用户运行 (not readable: sudo -u quiethall …)")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as reader:
            sound = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
            last = reader.execute("SELECT COALESCE(MAX(n), 0) FROM facts").fetchone()[0]
            acked = reader.execute("SELECT value FROM meta WHERE key = 'acked'").fetchone()
    except sqlite3.DatabaseError as error:
        sound, last, acked = str(error), 0, None
    if sound != "ok":
        return bad(
            "journal",
            f"{path} 已损坏（{sound}）：启动时会另存并重建，请保留 *.corrupt.* 文件并检查磁盘"
            " (damaged: it will be set aside at the next start; keep that file, check the disk)",
        )
    holder = machine.journal_holder(path)
    used = f"，进程 {holder} 正在使用 (in use by process {holder})" if holder else ""
    aside = sorted(p.name for p in path.parent.glob(f"{path.name}.corrupt.*") if not p.name.endswith("wal"))
    if aside:
        return note("journal", f"完好；另有损坏副本 {aside[0]}，请保留 (sound; keep the damaged copy){used}")
    sent = f"{last - int(acked[0])} 条未确认" if acked else "尚无中心确认"
    return well("journal", f"完好，{last} 条事实，{sent} (sound){used}")


def accounts(path: Path, host: str, clock: Clock) -> Check:
    """Somebody can log in. The file is not made here."""
    remedy = f"hall-agent staff add NAME --data {path.parent}"
    if path.exists() and not os.access(path, os.R_OK):
        return note("accounts", f"无权读取 {path}，请用代理的用户运行 (not readable: sudo -u quiethall …)")
    try:
        empty = not path.exists() or Accounts(path, clock).empty
    except SettingsInvalid as error:
        return bad("accounts", str(error))
    if not empty:
        return well("accounts", "已有工作人员账号 (staff can log in)")
    if is_loopback(host):
        return note("accounts", f"还没有账号，窗口页面无人能登录：{remedy} (nobody can log in yet)")
    return bad("accounts", f"对外服务 {host} 却没有账号，代理不会启动：{remedy} (the agent will not start)")


def clock_right(machine: Machine) -> Check:
    """The business day and every time on paper come from it."""
    right = clock_synchronised(machine)
    if right is None:
        return note("clock", "无法得知时钟是否同步 (unknown: the system does not say)")
    if not right:
        return bad(
            "clock", "时钟没有同步，业务日会错：timedatectl set-ntp true (the clock is not kept right)"
        )
    return well("clock", "时钟已同步 (synchronised)")
