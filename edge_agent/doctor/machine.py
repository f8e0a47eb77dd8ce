"""What the doctor reads of the operating system. Everything says None when it cannot be known."""

import ctypes
import os
from dataclasses import dataclass
from glob import glob
from pathlib import Path

__all__ = ["Machine", "SerialPort", "clock_synchronised", "filesystem_of", "serial_ports"]

#: the kernel reports this as its largest error once nobody has corrected its clock for long, or ever
#: (systemd's `ntp_synced` draws the same line; STA_UNSYNC may also be set to protect a hardware clock)
_LOST_US = 16_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the system tells of itself; tests bring their own."""

    mounts: Path = Path("/proc/mounts")
    locks: Path = Path("/proc/locks")
    timesync: Path = Path("/run/systemd/timesync/synchronized")
    devices: str = "/dev"

    def journal_holder(self, journal: Path) -> int | None:
        """The process that has the journal open: SQLite locks octet 128 of a WAL index in use."""
        try:
            index = journal.with_name(f"{journal.name}-shm").stat()
            table = self.locks.read_text(encoding="ascii")
        except OSError:
            return None
        inode = f"{os.major(index.st_dev):02x}:{os.minor(index.st_dev):02x}:{index.st_ino}"
        for line in table.splitlines():
            fields = line.split()
            if inode in fields and "128" in fields[fields.index(inode) + 1 :]:
                return int(fields[fields.index(inode) - 1])
        return None


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def clock_synchronised(machine: Machine) -> bool | None:
    """Whether somebody keeps the wall clock right; None where the kernel does not say."""
    try:
        ask = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return True if machine.timesync.exists() else None
    state = _Timex()  # modes 0: it is only read
    if ask(ctypes.byref(state)) < 0:
        return True if machine.timesync.exists() else None
    return bool(state.maxerror < _LOST_US)


def filesystem_of(folder: Path, machine: Machine) -> str | None:
    """The kind of file system a folder lies on."""
    try:
        rows = [line.split() for line in machine.mounts.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return None
    here = folder.resolve()
    above = {str(path) for path in (here, *here.parents)}
    on = [(row[1], row[2]) for row in rows if len(row) > 2 and row[1] in above]
    return max(on, key=lambda mount: len(mount[0]))[1] if on else None


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port of this box. `stable` is a name that stays with the adapter, where there is one."""

    path: str
    stable: str
    about: str
    allowed: bool

    @property
    def best(self) -> str:
        """The name to write into a hall file."""
        return self.stable or self.path


def serial_ports(machine: Machine) -> list[SerialPort]:
    """All serial ports, each once."""
    from serial.tools.list_ports import comports  # noqa: PLC0415 - only here

    about = {port.device: port.description for port in comports()} if machine.devices == "/dev" else {}
    for path in sorted(glob(f"{machine.devices}/ttyAMA*") + glob(f"{machine.devices}/ttyUSB*")):  # noqa: PTH207
        about.setdefault(path, "")
    stable: dict[str, str] = {}
    for link in sorted(glob(f"{machine.devices}/serial/by-id/*")):  # noqa: PTH207
        real = str(Path(link).resolve())
        stable.setdefault(real, link)
        about.setdefault(real, "")
    return [
        SerialPort(
            path,
            stable.get(path, ""),
            "" if words == "n/a" else words,
            os.access(path, os.R_OK | os.W_OK),
        )
        for path, words in sorted(about.items())
    ]
