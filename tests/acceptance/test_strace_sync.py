"""A box that is connected fails at the calls that store numbers and wishes, answer people and tell the centre.

It is killed there, or told of a broken disk, a full disk or a broken line; afterwards the centre has
everything once. It is killed at each call; of the others a sample, evenly, or each with `--all-cells`.
"""

from contextlib import suppress

import httpx2
import pytest

from tests.acceptance.district import district
from tests.acceptance.insistent import Insistent
from tests.acceptance.machine import need
from tests.acceptance.syscalls import counted, while_failing

pytestmark = [pytest.mark.root, pytest.mark.slow]

#: into the journal; its flush; to people; to the broker
STORES, FLUSHES, ANSWERS, TELLS = "pwrite64", "fdatasync", "write", "sendto"


class Connected(Insistent):
    """People at a box that fails."""

    async def a_round(self):
        """All they do, until both sides agree; False when the box hung up on somebody."""
        await self.work()
        try:
            if (await self.d.state())["storage"] == "broken":
                return False
            with suppress(AssertionError):
                await self.d.agree(4)
        except httpx2.TransportError:
            return False
        return not self.cut

    async def under(self, call, k, how):
        """A round with this fault in it, and everybody is answered in the end; the box's exit code, or None."""
        d, fault = self.d, f"{call}:{how}:when={k}"
        code = await while_failing(d.agent.process, fault, self.a_round, lambda: d.restart("agent"))
        await self.settle(after=fault)
        return code


@pytest.mark.timeout(1800)
async def test_a_connected_box_that_fails_at_any_call_loses_and_doubles_nothing(tmp_path, sample):
    need("strace")
    async with district(tmp_path) as d:
        people = Connected(d)
        await people.begin()
        await people.a_round()
        async with counted(d.agent.process.pid, tmp_path / "calls", STORES, FLUSHES, ANSWERS, TELLS) as calls:
            await people.a_round()
        for call, k in [*sample(calls, STORES, 2), *sample(calls, FLUSHES, 1)]:
            assert await people.under(call, k, "error=EIO") in (2, None)
        for call, k in sample(calls, TELLS, 2):
            assert await people.under(call, k, "error=ECONNRESET") is None
        for call, k in sample(calls, STORES, 2):
            assert await people.under(call, k, "error=ENOSPC") is None
        kills = [*sample(calls, STORES), *sample(calls, FLUSHES), *sample(calls, ANSWERS, 3)]
        kills += sample(calls, TELLS)
        ended = [await people.under(call, k, "signal=KILL") for call, k in kills]
        assert ended.count(-9) >= len(kills) * 3 // 4, dict(zip(kills, ended, strict=True))
        await people.check()
