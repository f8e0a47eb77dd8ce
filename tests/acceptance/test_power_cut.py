"""The current fails: the disk is copied as it is at that moment, and the copy is all that is left.

A loop file's bytes change only when the file system writes to its device, so the copy holds what was
flushed and nothing else. The same cuts must catch a journal that commits without a flush.
"""

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from random import Random, SystemRandom

import httpx2
import pytest

from simulators.checkers import unique_ids
from tests.acceptance.agent_process import agent_process
from tests.acceptance.machine import ext4, need
from tests.acceptance.test_disk import token_of
from tests.acceptance.test_kill import all_facts, hall_file

pytestmark = [pytest.mark.root, pytest.mark.slow]

CUTS, MUTANT_CUTS = 30, 8
TAKERS = 4
SERVICES = ("social", "household")

#: the agent with a journal that does not flush at each commit: what the test must catch
WITHOUT_FLUSH = """
import sys
from edge_agent import cli, journal, journal_file

def careless(path, new_id, open_writer=journal.open_writer):
    writer = open_writer(path, new_id)
    writer.execute("PRAGMA synchronous=NORMAL")
    return writer

journal.open_writer = careless
sys.exit(cli.main(sys.argv[2:]))
"""


class Street:
    """People who take numbers, and remember every one they were told."""

    def __init__(self):
        self.told, self.count = {}, 0

    async def taker(self, http):
        while True:
            self.count += 1
            request_id = f"take-{self.count}"
            answer = await http.post(
                "/api/tickets", json={"request_id": request_id, "service": SERVICES[self.count % 2]}
            )
            if answer.status_code == 201:
                self.told[request_id] = answer.json()["label"]
            elif answer.json()["type"] == "zone-exhausted":
                return


async def cut(agent, street, image, copy):
    """Everything stops, and the disk is what it is; what people hold at that moment. Then it goes on."""
    agent.process.send_signal(signal.SIGSTOP)
    told = dict(street.told)
    await asyncio.to_thread(shutil.copyfile, image, copy)
    agent.process.send_signal(signal.SIGCONT)
    return told


def kept(copy, folder):
    """The numbers on the copied disk, by request: its journal must be sound, and hold none twice."""
    with ext4(copy, folder), closing(sqlite3.connect(folder / "box" / "journal.db")) as box:
        assert box.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        bodies = box.execute("SELECT body FROM facts WHERE kind = 'ticket-issued'").fetchall()
    issued = [json.loads(body) for (body,) in bodies]
    assert unique_ids(f["label"] for f in issued) == {}
    return {f["request_id"]: f["label"] for f in issued}


async def missing_after(tmp_path, cuts, seed, under=()):
    """After each of so many cuts: how many numbers that people hold are not on the disk, and of how many."""
    need("mount", "mkfs.ext4")
    layout, image, copy = hall_file(tmp_path / "hall.yaml"), tmp_path / "card", tmp_path / "copy"
    random, street, found = Random(seed), Street(), []
    with ext4(image, tmp_path / "disk", mib=32) as disk:
        data = disk / "box"
        headers = {"Authorization": f"Bearer {await token_of(data)}"}
        async with (
            agent_process(layout, data, "--standalone", under=under) as agent,
            httpx2.AsyncClient(base_url=agent.url, headers=headers, timeout=30) as http,
            asyncio.TaskGroup() as tasks,
        ):
            takers = [tasks.create_task(street.taker(http), name=f"taker {n}") for n in range(TAKERS)]
            for _ in range(cuts):
                # The moment is drawn, not waited for.
                await asyncio.sleep(random.uniform(0.0, 0.1))
                told = await cut(agent, street, image, copy)
                stored = await asyncio.to_thread(kept, copy, tmp_path / "copied")
                found.append((sum(stored.get(r) != label for r, label in told.items()), len(told)))
            for taker in takers:
                taker.cancel()
    return found, told


@pytest.mark.timeout(300)
async def test_no_number_that_anybody_holds_is_lost_by_a_power_cut(tmp_path, record_property):
    seed = SystemRandom().randrange(2**32)
    record_property("seed", seed)
    found, told = await missing_after(tmp_path, CUTS, seed)
    assert [lost for lost, _ in found] == [0] * CUTS, f"seed {seed}"
    assert found[-1][1] > 5 * CUTS, "the load was too small to prove anything"
    # The last copy is a box that starts again.
    with ext4(tmp_path / "copy", tmp_path / "copied") as disk:
        async with agent_process(tmp_path / "hall.yaml", disk / "box", "--standalone") as agent:
            facts, _ = await all_facts(agent.url)
    stored = {f["request_id"]: f["label"] for f in facts if f["kind"] == "ticket-issued"}
    assert {r: stored.get(r) for r in told} == told


async def test_the_same_cuts_catch_a_journal_that_does_not_flush(tmp_path):
    found, _ = await missing_after(tmp_path, MUTANT_CUTS, 1, under=(sys.executable, "-c", WITHOUT_FLUSH))
    assert sum(lost > 0 for lost, _ in found) > MUTANT_CUTS // 2, found
