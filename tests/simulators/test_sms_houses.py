"""`hall-sim sms`: each message house starts, says how to reach it, and shows what it took."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from simulators.faults import FAULT_WORDS
from simulators.sms_cli import Kind
from simulators.sms_house import FAULTS


@asynccontextmanager
async def started(kind: Kind) -> AsyncIterator[tuple[str, str]]:
    """What it says of its gateway, and the address of its panel."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "sms", "--kind", kind, "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout
    said = ""
    try:
        async with asyncio.timeout(60):
            while "ready " not in said:
                said += (await program.stdout.readline()).decode()
        yield said, said.split("ready ")[1].strip()
    finally:
        program.terminate()
        await program.wait()
    assert program.returncode == 0


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_house_says_how_to_reach_it_and_has_its_panel(kind: Kind) -> None:
    async with started(kind) as (said, panel), httpx2.AsyncClient(base_url=panel) as client:
        scheme = re.search(r"--gateway(?:-wechat)? '(\w+)://", said)
        assert scheme
        assert scheme[1] == kind
        assert (await client.get("/messages")).json() == []
        assert (await client.get("/stats")).json() == {"accepted": 0, "doubled": 0, "rejected": 0}
        answer = await client.post("/faults", json={"fault": "throttle", "seconds": 5})
        assert answer.json() == {"faults": ["throttle"]}
        assert (await client.post("/faults", json={"fault": "rain"})).status_code == 404


def test_every_fault_of_a_house_has_words() -> None:
    assert [fault for fault in FAULTS if fault not in FAULT_WORDS] == []
