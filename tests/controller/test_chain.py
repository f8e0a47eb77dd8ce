"""The chain of a day's calls: what was sealed stays as it was, or everybody can see that it did not."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner

from controller.cli import app
from controller.store.tables import CHAIN_HEADS, FACTS, STREAM_DAYS
from controller.use_cases.chains import ChainKeeper, Signer, verify
from controller.use_cases.phones import PhoneBox
from hall_core.queueing import commands as c
from hall_core.queueing.chain import follow_on
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.web import web_of

MONDAY = date(2026, 11, 23)


@pytest.fixture
async def sealed(centre, box, clock):
    """Five calls, one of them a recall, all sealed."""
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    for n in range(4):
        box.issue(f"t{n}")
    for n in range(4):
        box.call()
        clock.advance(60)
        if n == 1:
            box.do(c.Recall(counter="1"))
    await centre.talk(box)
    await ChainKeeper(centre.context).seal()
    return box


def verdict(centre: Centre, day: date = MONDAY) -> tuple[list[str], list[str]]:
    signer = Signer(centre.context.phones.chain_seed)
    return centre.database.read_now(lambda tx: verify(tx, signer, "haitang", day))


def calls(centre: Centre) -> list[dict]:
    return [row for row in centre.rows("FACTS") if row["kind"] in ("ticket-called", "ticket-recalled")]


def write(centre: Centre, *statements) -> None:
    def work(tx):
        for statement in statements:
            tx.execute(statement)

    centre.database.write_now(work)


async def test_a_day_nobody_touched_is_in_order(centre, sealed):
    assert verdict(centre) == ([f"{sealed.stream}: 5 sealed calls as they were, 0 newer ones"], [])


async def test_later_calls_are_sealed_on_top(centre, sealed, clock):
    before = centre.one("CHAIN_HEADS")
    sealed.issue("t9")
    sealed.call()
    await centre.talk(sealed)
    assert "1 newer" in verdict(centre)[0][0]
    await ChainKeeper(centre.context).seal()
    after = centre.one("CHAIN_HEADS")
    assert (before["count"], after["count"]) == (5, 6)
    assert verdict(centre)[1] == []


def edited(centre):
    row = calls(centre)[1]
    write(
        centre,
        update(FACTS).where(FACTS.c.id == row["id"]).values(body=row["body"].replace("09:31", "09:30")),
    )


def given_to_another(centre):
    row = calls(centre)[2]
    write(
        centre, update(FACTS).where(FACTS.c.id == row["id"]).values(body=row["body"].replace('"t1"', '"t3"'))
    )


def deleted(centre):
    write(centre, delete(FACTS).where(FACTS.c.id == calls(centre)[2]["id"]))


def deleted_without_a_gap(centre):
    """The call is taken out, and the facts behind it move up."""
    row = calls(centre)[2]
    write(centre, delete(FACTS).where(FACTS.c.id == row["id"]))
    write(centre, *(update(FACTS).where(FACTS.c.n == n).values(n=n - 1) for n in range(row["n"] + 1, 99)))


def disguised(centre):
    row = calls(centre)[0]
    write(centre, update(FACTS).where(FACTS.c.id == row["id"]).values(kind="ticket-held"))


def reordered(centre):
    first, second = calls(centre)[0], calls(centre)[3]
    write(
        centre,
        update(FACTS).where(FACTS.c.id == first["id"]).values(n=10**6),
        update(FACTS).where(FACTS.c.id == second["id"]).values(n=first["n"]),
        update(FACTS).where(FACTS.c.id == first["id"]).values(n=second["n"]),
    )


def truncated(centre):
    write(centre, delete(FACTS).where(FACTS.c.n >= calls(centre)[3]["n"]))


def added(centre):
    row = calls(centre)[0]
    last = max(r["n"] for r in centre.rows("FACTS") if r["kind"] == "service-started")
    write(
        centre,
        update(FACTS)
        .where(FACTS.c.n == last)
        .values(kind="ticket-called", body=row["body"].replace('"t0"', '"t2"')),
    )


def emptied(centre):
    write(centre, delete(FACTS).where(FACTS.c.kind.like("ticket-%")), delete(STREAM_DAYS))


def unsealed(centre):
    write(centre, delete(CHAIN_HEADS))


def seal_cut_back(centre):
    """Facts and seal are both cut back, without the key."""
    truncated(centre)
    write(centre, update(CHAIN_HEADS).values(count=3, n=calls(centre)[2]["n"]))


TAMPERINGS = [
    edited, given_to_another, deleted, deleted_without_a_gap, disguised, reordered, truncated, added, emptied,
    unsealed, seal_cut_back,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda f: f.__name__)
async def test_whoever_touches_the_days_calls_is_found_out(centre, sealed, tamper):
    before = [(r["n"], r["kind"], r["body"]) for r in centre.rows("FACTS")], centre.rows("CHAIN_HEADS")
    tamper(centre)
    after = [(r["n"], r["kind"], r["body"]) for r in centre.rows("FACTS")], centre.rows("CHAIN_HEADS")
    assert before != after, "the tampering must be one"
    fine, wrong = verdict(centre)
    assert (fine, len(wrong)) == ([], 1)


async def test_sealing_on_after_a_tampering_hides_nothing(centre, sealed):
    edited(centre)
    sealed.issue("t9")
    sealed.call()
    await centre.talk(sealed)
    await ChainKeeper(centre.context).seal()
    assert len(verdict(centre)[1]) == 1


async def test_another_key_seals_nothing_here(centre, sealed, tmp_path):
    stranger = Signer(PhoneBox.open(tmp_path / "other.key").chain_seed)
    write(centre, update(CHAIN_HEADS).values(signature=stranger.sign(centre.one("CHAIN_HEADS"))))
    assert "another key" in verdict(centre)[1][0]


async def test_the_end_of_a_day_is_sealed_though_the_next_has_begun(centre, sealed, clock):
    keeper = ChainKeeper(centre.context)
    await keeper.seal()
    sealed.issue("last")
    sealed.call()
    clock.advance(24 * 3600)
    sealed.do(c.OpenBusinessDay(day=sealed.now.date()))
    sealed.issue("first")
    sealed.call()
    await centre.talk(sealed)
    await keeper.seal()
    assert [(row["day"].day, row["count"]) for row in centre.rows("CHAIN_HEADS")] == [(23, 6), (24, 1)]
    assert verdict(centre)[1] == verdict(centre, date(2026, 11, 24))[1] == []


async def test_a_holder_follows_the_proof_to_the_sealed_head(centre, sealed):
    async with web_of(centre) as web:
        proof = (await web.client.get("/api/t/token-haitang-t1/proof")).json()
        chain = (await web.client.get("/api/halls/haitang/chain", headers=web.bearer)).json()
        outside = await web.client.get("/api/halls/haitang/chain")
        nobody = await web.client.get("/api/t/nobody/proof")
    assert (outside.status_code, nobody.status_code) == (401, 404)
    (stream,) = chain["streams"]
    assert [e["ticket"] for e in stream["entries"]] == ["t0", "t1", "t1", "t2", "t3"]
    assert [x["entry"]["kind"] for x in proof["calls"]] == ["ticket-called", "ticket-recalled"]
    for call in proof["calls"]:
        assert follow_on(call["before"], [call["digest"], *call["after"]]) == stream["head"]
        assert call["sealed"]["head"] == stream["head"]
        assert follow_on(call["before"], [*call["after"]]) != stream["head"]
    assert not any(other in str(proof) for other in ("t0", "t2'", "t3'"))
    assert proof["key"] == Signer(centre.context.phones.chain_seed).public


async def test_the_command_says_so_and_fails(centre, sealed, tmp_path):
    def run(*more: str):
        return CliRunner().invoke(
            app, ["verify-chain", "haitang", "2026-11-23", "--data", str(tmp_path), *more]
        )

    good = await asyncio.to_thread(run)
    assert (good.exit_code, good.stdout) == (
        0,
        f"ok      {sealed.stream}: 5 sealed calls as they were, 0 newer ones\n",
    )
    deleted(centre)
    bad = await asyncio.to_thread(run)
    assert bad.exit_code == 1
    assert "is missing" in bad.stdout


async def test_a_day_without_calls_is_not_called_in_order(centre, sealed):
    assert verdict(centre, date(2026, 1, 1)) == ([], ["haitang: no call of 2026-01-01 is known"])


@pytest.mark.postgres
async def test_order_waits_and_chain_are_the_same_on_postgresql(postgres, tmp_path, clock):
    centre = Centre(postgres, tmp_path, clock)
    centre.enrol()
    box = await centre.meet(Box(clock).open())
    box.do(c.OpenCounter(counter="1"))
    box.issue("me")
    clock.advance(60)
    box.issue("elder", priority="elder")
    box.call()
    clock.advance(60)
    box.call()
    await centre.talk(box)
    await ChainKeeper(centre.context).seal()
    async with web_of(centre) as web:
        told = (await web.client.get("/api/calibration?hall=haitang", headers=web.bearer)).json()
        passed = (await web.client.get("/api/t/token-haitang-me/passed")).json()
    assert (told["n"], told["services"][0]["n"], passed["passed"][0]["code"]) == (2, 2, "credit")
    assert verdict(centre) == ([f"{box.stream}: 2 sealed calls as they were, 0 newer ones"], [])
    write(centre, delete(FACTS).where(FACTS.c.kind == "ticket-called"))
    assert len(verdict(centre)[1]) == 1
    centre.close()
