"""Accounts, keys and halls of the demo, made as an administrator makes them: with the console commands."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.demo_folder import Folder
from simulators.demo_halls import HALLS, DemoHall
from simulators.demo_programs import ProgramDied, console_script, run_to_end

__all__ = ["ADMIN", "CLERK", "Logins", "make_logins"]

ADMIN = "admin"
CLERK = "clerk"


@dataclass(frozen=True, slots=True)
class Logins:
    """What opens the doors: the administrator's password, an API key, and per hall the clerk's."""

    admin_password: str
    api_key: str
    staff_passwords: dict[str, str]
    staff_tokens: dict[str, str]


def _secret(printed: str, what: str) -> str:
    """The secret a command printed: the last word of its last line."""
    words = printed.split()
    if not words:
        msg = f"{what} printed nothing; a password or token was expected"
        raise ProgramDied(msg)
    return words[-1]


def _of_last_run(remembered: dict[str, Any]) -> Logins | None:
    try:
        halls = remembered["halls"]
        return Logins(
            admin_password=remembered["controller"]["admin"]["password"],
            api_key=remembered["controller"]["api_key"],
            staff_passwords={h["id"]: h["staff"]["password"] for h in halls},
            staff_tokens={h["id"]: h["staff_token"] for h in halls},
        )
    except (KeyError, TypeError):
        return None


async def _enrol(hall: DemoHall, data: Path) -> None:
    argv = ["hall", "add", hall.id, "--name", hall.name, "--level", hall.level, "--data", str(data)]
    parent = ["--parent", hall.parent] if hall.parent else []
    await run_to_end([console_script("hall-controller"), *argv, *parent])


async def make_logins(folder: Folder) -> Logins:
    """New logins and enrolled halls, or those of the run whose data are kept. Raises ProgramDied."""
    if known := _of_last_run(folder.remembered()):
        return known
    async with asyncio.TaskGroup() as tasks:
        centre = tasks.create_task(_centre(folder.data("controller")), name="accounts of the controller")
        boxes = {
            hall.id: tasks.create_task(_box(folder.data(hall.id)), name=f"accounts of {hall.id}")
            for hall in HALLS
        }
    password, key = centre.result()
    return Logins(
        admin_password=password,
        api_key=key,
        staff_passwords={hall: task.result()[0] for hall, task in boxes.items()},
        staff_tokens={hall: task.result()[1] for hall, task in boxes.items()},
    )


async def _centre(data: Path) -> tuple[str, str]:
    """Enrol the halls, parents first; the administrator's password and an API key."""
    controller = console_script("hall-controller")
    for hall in HALLS:
        await _enrol(hall, data)
    password = await run_to_end([controller, "admin", "add", ADMIN, "--data", str(data)])
    key = await run_to_end([controller, "key", "add", "demo", "--data", str(data)])
    return _secret(password, "hall-controller admin add"), _secret(key, "hall-controller key add")


async def _box(data: Path) -> tuple[str, str]:
    """The clerk's password and token at one box."""
    agent = console_script("hall-agent")
    password = await run_to_end([agent, "staff", "add", CLERK, "--data", str(data)])
    token = await run_to_end([agent, "staff", "token", CLERK, "--data", str(data)])
    return _secret(password, "hall-agent staff add"), _secret(token, "hall-agent staff token")
