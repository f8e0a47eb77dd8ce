"""Stories: something goes wrong on purpose while the demo runs, and is told as it happens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hall_core.clock import Clock
from simulators.broker import Broker
from simulators.demo_doors import AgentDoor, ControllerDoor
from simulators.demo_ledger import Ledger
from simulators.relay import Relay

__all__ = ["STORIES", "STORY_HALL", "Scene", "Story", "run_story"]

#: whose link the stories cut
STORY_HALL = "liulin"
_LONGEST_S = 60.0
_CAUGHT_UP_S = 60.0
_LOOKS = 6


@dataclass(frozen=True, slots=True)
class Scene:
    """What a story plays with."""

    hall: str
    name: str
    relay: Relay
    broker: Broker
    agent: AgentDoor
    controller: ControllerDoor
    ledger: Ledger
    clock: Clock
    say: Callable[[str, str], None]


Story = Callable[[Scene, float], Awaitable[None]]


async def outage(scene: Scene, seconds: float) -> None:
    """The controller link of one hall is cut, then healed."""
    scene.relay.cut()
    scene.say(
        f"✂ 切断 {scene.name} 与中心的网络 {seconds:.0f} 秒，大厅照常取号、叫号",
        f"the link of {scene.hall} is cut for {seconds:.0f} s; the hall goes on",
    )
    await _look_on(scene, seconds)
    scene.relay.heal()
    await _until_caught_up(scene)


async def silence(scene: Scene, seconds: float) -> None:
    """The link stays open and nothing passes: only a timeout can tell; then it is healed."""
    scene.relay.hang()
    scene.say(
        f"… {scene.name} 的网络静默 {seconds:.0f} 秒：连接还在，消息不通",
        f"the link of {scene.hall} hangs for {seconds:.0f} s: it stands and nothing passes",
    )
    await _look_on(scene, seconds)
    scene.relay.heal()
    await _until_caught_up(scene)


async def broker(scene: Scene, seconds: float) -> None:
    """The broker loses its power with all it had in hand, and comes back empty."""
    await scene.broker.kill()
    scene.say(
        f"✂ 消息服务断电 {seconds:.0f} 秒，未转发的消息全部丢失",
        f"the broker is killed for {seconds:.0f} s: what it had not passed on is gone",
    )
    await _look_on(scene, seconds)
    await scene.broker.start()
    await _until_caught_up(scene)


STORIES: dict[str, Story] = {"outage": outage, "silence": silence, "broker": broker}


async def run_story(name: str, scene: Scene, run_s: float | None) -> None:
    """Play a story: after a while of normal life, for 60 s, or half of a shorter run."""
    lead_s = min(10.0, run_s / 6) if run_s else 10.0
    seconds = min(_LONGEST_S, run_s / 2) if run_s else _LONGEST_S
    await asyncio.sleep(lead_s)
    await STORIES[name](scene, seconds)


async def _look_on(scene: Scene, seconds: float) -> None:
    taken, called = scene.ledger.taken(scene.hall), scene.ledger.called(scene.hall)
    for _ in range(_LOOKS):
        await asyncio.sleep(seconds / _LOOKS)
        unsynced = (await scene.agent.state())["uplink"]["unsynced"]
        online = (await scene.controller.hall(scene.hall))["online"]
        new_taken = scene.ledger.taken(scene.hall) - taken
        new_called = scene.ledger.called(scene.hall) - called
        shown = ("在线", "online") if online else ("本地运行中", "on its own")
        scene.say(
            f"  又取号 {new_taken}、叫号 {new_called}；待同步 {unsynced} 条；中心看到：{shown[0]}",
            f"{new_taken} tickets and {new_called} calls since; {unsynced} unsynced; "
            f"the controller shows: {shown[1]}",
        )


async def _until_caught_up(scene: Scene) -> None:
    began = scene.clock.monotonic()
    scene.say("↻ 恢复", "healed")
    while scene.clock.monotonic() - began < _CAUGHT_UP_S:
        uplink = (await scene.agent.state())["uplink"]
        if uplink["connected"] and uplink["unsynced"] == 0:
            took = scene.clock.monotonic() - began
            scene.say(
                f"✔ {took:.1f} 秒后待同步归零，中心已有全部记录",
                f"nothing unsynced after {took:.1f} s: the controller holds every fact",
            )
            return
        await asyncio.sleep(0.1)
    scene.say(
        f"✘ {_CAUGHT_UP_S:.0f} 秒内未追平", f"not caught up within {_CAUGHT_UP_S:.0f} s: see .demo/logs"
    )
