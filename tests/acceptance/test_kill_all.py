"""`kill -9` of the box, the centre and the broker in turn at random moments under load."""

import asyncio
import random

import pytest

from tests.acceptance.district import district
from tests.acceptance.insistent import Insistent

CYCLES = 60
VICTIMS = ("agent", "controller", "broker")
#: more people wait than are called while those of an outage are not in line yet
SPARE = 6


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_sixty_kills_of_box_centre_and_broker_lose_nothing_and_double_nothing(
    tmp_path, record_property
):
    seed = random.SystemRandom().randrange(2**32)
    record_property("seed", seed)
    print(f"seed {seed}")  # noqa: T201 - repeats what failed
    chance = random.Random(seed)
    async with district(tmp_path) as d:
        people = Insistent(d)
        await people.begin()
        people.missing = SPARE
        await people.work()
        for n in range(CYCLES):
            victim = VICTIMS[n % len(VICTIMS)]
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(people.work(), name="people")
                # The moment is drawn, not waited for: anywhere in what people do.
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                await d.restart(victim)
            if victim == VICTIMS[-1]:
                await people.settle(after=f"cycle {n}, seed {seed}")
        await people.check()
        assert len(people.told) > CYCLES, "the load was too small to prove anything"
