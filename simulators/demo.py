"""`hall-sim demo`: a district, a street and a community with people in them, on this machine, in one go."""

import asyncio
import contextlib
import json
import secrets
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from ulid import ULID

from hall_core.clock import Clock, SystemClock
from hall_core.errors import QuiethallError
from simulators.broker import Kind
from simulators.demo_closing import drain, drawn, offline_states, records, until_nobody_waits
from simulators.demo_folder import Folder
from simulators.demo_sightings import Sightings
from simulators.demo_stage import Stage, open_stage
from simulators.demo_table import Teller, addresses, figures, summary
from simulators.demo_town import FAST, LIVELY, Town
from simulators.people import People
from simulators.report import Sources, build_report
from simulators.stories import STORIES, STORY_HALL, Scene, run_story

__all__ = ["Options", "demo"]

#: how often the line of figures comes: on a terminal, and in a log
_FIGURES_S = (1.0, 15.0)
#: how long clerks go on after the last arrival
_FINISH_S = 12.0
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    folder: Path
    fresh: bool
    keep: bool
    citizens: bool
    run_s: float | None
    report: Path | None
    story: str | None
    broker: Kind | None
    seed: int


def demo(  # noqa: PLR0913 — one argument per option
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="先清空 .demo / empty the folder first")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="结束后保留数据 / keep the data afterwards")] = False,
    no_citizens: Annotated[
        bool, typer.Option("--no-citizens", help="没有模拟群众和窗口人员 / nobody comes but you")
    ] = False,
    run_s: Annotated[
        float | None,
        typer.Option("--for", min=5, metavar="SECONDS", help="无人值守运行这么久 / run unattended so long"),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="运行报告 / write a report (with --for)")
    ] = None,
    story: Annotated[
        str | None, typer.Option("--story", metavar="NAME", help=f"剧情 / one of: {', '.join(STORIES)}")
    ] = None,
    broker: Annotated[
        str | None, typer.Option("--broker", metavar="mosquitto|embedded", help="消息服务 / which broker")
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="数据目录 / where the data are")] = Path(".demo"),
    seed: Annotated[int | None, typer.Option("--seed", help="随机种子 / repeat the same people")] = None,
) -> None:
    """一台电脑上的整个区：三级大厅、全部设备、来往群众。A whole district on this machine."""
    tell = Teller(Console(soft_wrap=False))
    if story is not None and story not in STORIES:
        raise typer.BadParameter(f"there is no story {story!r}; known are {', '.join(STORIES)}")
    if broker not in (None, "mosquitto", "embedded"):
        raise typer.BadParameter(f"--broker is mosquitto or embedded, not {broker!r}")
    if report is not None and run_s is None:
        raise typer.BadParameter("--report needs --for SECONDS: a report is made at the end of a run")
    kind: Kind | None = "mosquitto" if broker == "mosquitto" else "embedded" if broker == "embedded" else None
    options = Options(
        folder=folder,
        fresh=fresh,
        keep=keep,
        citizens=not no_citizens,
        run_s=run_s,
        report=report,
        story=story,
        broker=kind,
        seed=secrets.randbelow(10**6) if seed is None else seed,
    )
    raise typer.Exit(asyncio.run(_until_stopped(options, tell)))


async def _until_stopped(options: Options, tell: Teller) -> int:
    """Run, and turn Ctrl-C, SIGTERM and errors into an exit code."""
    stopping = False
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            tell.end_bottom()
            tell.say("正在停止 …", "stopping …")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        return await _run(options, tell, SystemClock())
    except asyncio.CancelledError:
        if not stopping:
            raise
        tell.say("已全部停止", "everything has stopped")
        return _INTERRUPTED if options.run_s else 0
    except (QuiethallError, BaseExceptionGroup) as error:
        reasons = _reasons(error)
        if not reasons:
            raise
        tell.end_bottom()
        for reason in reasons:
            tell.warn(f"演示停止 / the demo stopped: {reason}")
        return 1


def _reasons(error: BaseException) -> list[str]:
    """What people are told: the program's own errors; nothing when there is another kind among them."""
    if isinstance(error, BaseExceptionGroup):
        parts = [_reasons(part) for part in error.exceptions]
        return [reason for part in parts for reason in part] if all(parts) else []
    return [str(error)] if isinstance(error, QuiethallError) else []


async def _run(options: Options, tell: Teller, clock: Clock) -> int:
    with Folder(options.folder, fresh=options.fresh, keep=options.keep) as folder:
        stage_opened = open_stage(
            folder,
            wanted=options.broker,
            usual_ports=options.run_s is None,
            relayed=(STORY_HALL,) if options.story else (),
            clock=clock,
            tell=tell,
        )
        async with stage_opened as stage:
            report = await _play(options, stage, folder, tell, clock)
        if report is None:
            return 0
        if options.report is not None:
            text = json.dumps(report, ensure_ascii=False, indent=2)
            options.report.write_text(text + "\n", "utf-8")
        if report["lost"] or report["duplicates"]:
            # Somebody will want to look at the data of this run.
            folder.keep = True
        return 1 if report["lost"] or report["duplicates"] else 0


async def _play(
    options: Options, stage: Stage, folder: Folder, tell: Teller, clock: Clock
) -> dict[str, Any] | None:
    town = Town(pace=FAST if options.run_s else LIVELY, clock=clock, new_id=lambda: str(ULID()))
    people = People(stage.doors, stage.controller, town, seed=options.seed)
    sightings = Sightings(stage.simulated.values(), clock)
    at_start = {d.id: int((await d.agent.state())["stream"]["last"]) for d in stage.doors}
    example = await people.first_one() if options.citizens else None
    tell.show(addresses(stage.addresses, example.body.get("url") if example else None, folder.root))
    tell.say(f"随机种子 {options.seed}；Ctrl-C 停止全部", f"seed {options.seed}; Ctrl-C stops everything")
    async with _living(options, stage, people, tell, clock):
        await asyncio.sleep(options.run_s) if options.run_s else await asyncio.Event().wait()
    if options.run_s is None:
        return None
    await drain(stage, clock, tell)
    drawn_states, draws = await drawn(stage, people.ledger)
    report = build_report(
        Sources(
            halls=await records(stage, at_start),
            ledger=people.ledger,
            sightings=sightings,
            offline_states=await offline_states(stage, people.ledger),
            sms_accepted=[m["client_ref"] for m in stage.gateway.messages],
            sms_repeated=stage.gateway.doubled,
            broker=stage.broker.kind,
            drawn_states=drawn_states,
            draws=draws,
        )
    )
    tell.show(summary(report))
    for problem in report["problems"]:
        tell.warn(problem)
    return {**report, "seed": options.seed, "seconds": options.run_s}


@contextlib.asynccontextmanager
async def _living(
    options: Options, stage: Stage, people: People, tell: Teller, clock: Clock
) -> AsyncIterator[None]:
    """While entered people live, the story is played, figures are told; then the day ends in good order."""
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(_tell_figures(stage, people, tell), name="figures")
        if options.citizens:
            tasks.create_task(people.live(), name="people")
        if options.story:
            tasks.create_task(_story(options, stage, people, tell, clock), name=f"story {options.story}")
        yield
        tell.end_bottom()
        tell.say("停止来人，窗口办完在等的人 …", "nobody comes any more; the counters finish …")
        people.close_doors()
        if options.citizens:
            await until_nobody_waits(stage, _FINISH_S)
        people.end_calling()
        telling.cancel()


async def _story(options: Options, stage: Stage, people: People, tell: Teller, clock: Clock) -> None:
    door = next(d for d in stage.doors if d.id == STORY_HALL)
    name = next(h["name"] for h in stage.addresses["halls"] if h["id"] == STORY_HALL)
    scene = Scene(
        hall=door.id,
        name=name,
        relay=stage.relays[STORY_HALL],
        broker=stage.broker,
        agent=door.agent,
        controller=stage.controller,
        ledger=people.ledger,
        clock=clock,
        say=tell.say,
    )
    await run_story(options.story or "", scene, options.run_s)


async def _tell_figures(stage: Stage, people: People, tell: Teller) -> None:
    while True:
        states = [await door.agent.state() for door in stage.doors]
        told = {d.id: (people.ledger.taken(d.id), people.ledger.called(d.id)) for d in stage.doors}
        tell.bottom(figures(states, told, stage.gateway.accepted))
        await asyncio.sleep(_FIGURES_S[0] if tell.live else _FIGURES_S[1])
