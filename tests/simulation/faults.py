"""What goes wrong, each for a while: programs die, lines are cut, clocks jump, cards fill and fail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.network import Line, Weather

if TYPE_CHECKING:
    from tests.simulation.box import Box
    from tests.simulation.world import World

CALM = Weather()
WEATHERS = (
    CALM,
    Weather(delay_s=(0.1, 1.5)),
    Weather(loss=0.08, duplicate=0.15, reorder=0.2),
    Weather(loss=0.3, duplicate=0.3, reorder=0.4, delay_s=(0.01, 0.6)),
    Weather(duplicate=0.5),
    Weather(reorder=0.6),
)
NEVER = 0.0
ZONES = ("Asia/Shanghai",) * 3 + ("Europe/Berlin", "America/New_York", "Asia/Urumqi")
#: days on which somewhere in these zones clocks are put forward or back come up often
STARTS = (
    datetime(2026, 11, 23, 1, 30, tzinfo=UTC),
    datetime(2026, 3, 28, 23, 20, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 20, tzinfo=UTC),
    datetime(2026, 3, 8, 6, 20, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 20, tzinfo=UTC),
    datetime(2028, 2, 28, 15, 40, tzinfo=UTC),
    datetime(2026, 12, 31, 15, 50, tzinfo=UTC),
)


@dataclass(slots=True)
class Climate:
    """Which faults this world knows, and how often: the weights per step, out of about 100."""

    steps: int
    gap_s: float
    pause_s: float
    phones: float
    weights: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, rng: Random, steps: int) -> "Climate":
        """Every world knows some faults and not others, so that rare meetings of two happen."""
        often = {"agent": 1.6, "centre": 1.0, "broker": 0.8, "line": 2.4, "reset": 1.6, "weather": 1.0}
        seldom = {
            "clock": 0.9,
            "night": 0.5,
            "replace": 0.8,
            "full": 0.5,
            "break": 0.4,
            "slow": 0.4,
            "spoil": 0.15,
        }
        seldom["hasty"] = 0.3
        weights = {name: w * rng.choice([0, 0.5, 1, 1, 2.5]) for name, w in often.items()}
        weights |= {name: w * rng.choice([0, 0, 1, 1, 2.5]) for name, w in seldom.items()}
        pace = rng.choice([(0.01, 2.0), (0.03, 6.0), (0.03, 20.0), (0.1, 4.0), (0.4, 10.0)])
        return cls(steps, *pace, rng.choice([0.0, 0.1, 0.4]), weights)

    def wait(self, rng: Random) -> float:
        """People come in bursts: then much happens within one fault, and between bursts time goes by."""
        return rng.expovariate(1 / (self.pause_s if rng.random() < 0.06 else self.gap_s))


class Faults:
    """Draws one, begins it, and sees to its end."""

    def __init__(self, world: "World", rng: Random) -> None:
        self.world, self.rng = world, rng
        self.counts: dict[str, int] = {}
        self._over = False

    def perhaps(self) -> bool:
        """One fault, or none this time."""
        weights = self.world.climate.weights
        roll = self.rng.uniform(0, 100)
        for name, weight in weights.items():
            roll -= weight
            if roll < 0:
                self.counts[name] = self.counts.get(name, 0) + 1
                getattr(self, f"_{name}")()
                return True
        return False

    def stop(self) -> None:
        """From now on nothing goes wrong any more, and what was planned does not happen."""
        self._over = True

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self.world.loop.call_later(seconds, lambda: None if self._over else work())

    def _while(self) -> float:
        """Mostly short, at times long."""
        return self.rng.expovariate(1 / self.rng.choice([2, 8, 8, 60]))

    def _agent(self) -> None:
        world, power = self.world, self.rng.random() < 0.6
        box = world.box
        world.say("power cut" if power else "kill", box.name)
        box.kill(power=power)
        self._later(self._while() / 4, box.start)

    def _centre(self) -> None:
        centre = self.world.centre
        self.world.say("kill", "centre")
        centre.kill(power=self.rng.random() < 0.5)
        self._later(self._while() / 2, centre.start)

    def _broker(self) -> None:
        broker = self.world.broker
        if not broker.up:
            return
        self.world.say("kill", "broker")
        broker.crash()
        self._later(self._while() / 2, broker.restart)

    def _some_line(self) -> Line:
        world = self.world
        return self.rng.choice([world.box.line, world.box.line, world.centre.line])

    def _line(self) -> None:
        line = self._some_line()
        line.up, line.down = self.rng.choice([(False, False), (False, True), (True, False)])
        self.world.say("cut", line.name, f"up {line.up} down {line.down}")
        self._later(self._while(), lambda: self._join(line))

    def _join(self, line: Line) -> None:
        line.up = line.down = True
        self.world.say("joined", line.name)
        self.world.broker.healed(line)

    def _reset(self) -> None:
        """Connections break, once or many times in a row."""
        line = self._some_line()
        for i in range(self.rng.choice([1, 1, 1, 6])):
            self._later(i * self.rng.uniform(0.2, 2.0), lambda: self._break_line(line))

    def _break_line(self, line: Line) -> None:
        self.world.say("reset", line.name)
        broker = self.world.broker
        for connection in list(broker.connections):
            if connection.line is line:
                connection.client.lose(connection)
                broker.drop(connection, will=True)

    def _weather(self) -> None:
        self.world.broker.weather = self.rng.choice(WEATHERS)
        self.world.say("weather", repr(self.world.broker.weather))
        if self.rng.random() < 0.5:
            self.world.broker.save()

    def _clock(self) -> None:
        """The box's clock, at times the controller's; some believe what they show."""
        world, rng = self.world, self.rng
        ours = rng.random() < 0.85
        clock = world.box.clock if ours else world.centre.clock
        now = world.true.now()
        steps = (300, -300, 3600, -3600, 86400, -86400, 2 * 86400, 45, -45)
        wall = rng.choice(
            [now + timedelta(seconds=s) for s in steps]
            + [datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)]
        )
        far = abs(wall - now) > timedelta(days=3)
        trusted = rng.random() < (0.05 if far else 0.4)
        clock.show(wall, trusted=trusted)
        # a centre that does not know the time cannot tell a new box that it runs ahead
        world.lied |= trusted or (far and not ours)
        world.say("clock", world.box.name if ours else "centre", wall.isoformat(), f"trusted {trusted}")
        if rng.random() < 0.8:
            self._later(self._while() * 2, clock.correct)

    def _night(self) -> None:
        """Hours in which nobody comes."""
        hours = self.rng.choice([1, 8, 14, 16, 24, 40, 24 * 9])
        self.world.true.skipped += hours * 3600
        self.world.say("night", f"{hours} h")

    def _replace(self) -> None:
        world, box = self.world, self.world.box
        zombie_after = self._while() if self.rng.random() < 0.5 else None
        if self.rng.random() < 0.5:
            world.replace(zombie_after)
            return
        # It was alone before its card died: what it told nobody is on its stick, where it has one.
        box.line.up = False
        world.say("cut", box.name, "up False down True")

        def dead() -> None:
            self._join(box.line)
            if world.box is box:
                world.replace(zombie_after)

        self._later(self.rng.uniform(0.5, 8), dead)

    def _hasty(self) -> None:
        """A new box that falls silent as soon as the controller has answered it, and is given up soon after."""
        self.world.replace(zombie_after=None)
        self._mute(self.world.box, tries=500)

    def _mute(self, box: "Box", tries: int) -> None:
        world = self.world
        known = world.centre.context.live.by_id(world.setup.hall) if world.centre.context else None
        if known is None or known.stream != box.life.stream:
            if tries:
                self._later(0.02, lambda: self._mute(box, tries - 1))
            return
        box.line.up = False
        world.say("cut", box.name, "up False down True")
        self._later(
            self.rng.uniform(1, 12), lambda: world.replace(zombie_after=None) if world.box is box else None
        )

    def _spoil(self) -> None:
        box = self.world.box
        self.world.say("card spoilt", box.name)
        box.kill(power=True)
        box.disk.spoil()
        self._later(2.0, box.start)

    def _full(self) -> None:
        disk = self.world.box.disk
        disk.fill()
        self.world.say("disk full", self.world.box.name)
        self._later(self._while(), disk.make_room)

    def _break(self) -> None:
        self.world.say("I/O error", self.world.box.name)
        self.world.box.disk.break_next()

    def _slow(self) -> None:
        box = self.world.box
        box.slow_s = self.rng.choice([0.1, 1.0, 6.0])
        self.world.say("slow disk", box.name, f"{box.slow_s} s")
        self._later(self._while(), lambda: setattr(box, "slow_s", 0.002))
