"""Seeds of draws are sealed until they are revealed; anybody may check a draw with one command."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.cli import app
from controller.store.draws import change_draw
from controller.use_cases.drawing import PlaceKeeper
from controller.use_cases.draws import DrawRequest, draw_view
from controller.use_cases.phones import PhoneBox
from controller.use_cases.seeds import is_sealed, open_seed, seal_seed
from hall_core.errors import SeedSealed
from tests.controller.draw_scene import (
    TO_OPENING,
    WINDOW,
    a_phone,
    announced,
    draw_hall,
    enter,
    fair,
    look,
)
from tests.controller.serving import served
from tests.controller.web import web_of

SEED = bytes(range(32))
KEY = bytes(32)


def change(centre, draw_id, **values):
    centre.database.write_now(lambda tx: change_draw(tx, draw_id, **values))


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("controller.db*"))


def kept(centre, draw):
    """The draw's row; the next day's has been announced meanwhile."""
    return next(row for row in centre.rows("DRAWS") if row["draw_id"] == draw["draw_id"])


@pytest.fixture
async def draw(centre, box):
    await draw_hall(centre, box)
    fair(centre, seed=lambda: SEED)
    return await announced(centre)


async def made(centre, clock, draw, people=3):
    clock.advance(TO_OPENING)
    entered = [await enter(centre, draw, n % 6) for n in range(people)]
    clock.advance(WINDOW)
    await look(centre)
    return await draw_view(centre.context, draw["draw_id"]), [e.registration["registration"] for e in entered]


async def test_until_the_draw_the_database_holds_no_seed_that_can_be_read(centre, draw, clock):
    assert is_sealed(draw["seed"])
    everything = await asyncio.to_thread(on_disk, centre.folder)
    for readable in (SEED.hex().encode(), SEED):
        assert readable not in everything
    shown, _ = await made(centre, clock, draw)
    assert (shown["seed"], kept(centre, draw)["seed"]) == (SEED.hex(), SEED.hex())


async def test_a_seed_kept_in_clear_by_an_earlier_version_is_sealed_at_the_start(centre, draw, clock):
    change(centre, draw["draw_id"], seed=SEED.hex())
    await look(centre)
    assert is_sealed(kept(centre, draw)["seed"])
    shown, _ = await made(centre, clock, draw)
    assert shown["seed"] == SEED.hex()


async def test_another_key_of_phones_opens_what_the_first_one_sealed(centre, draw, tmp_path):
    box = PhoneBox.open(tmp_path / "phone.key")
    kept = seal_seed(box.draw_key, SEED, "d1")
    box.keys.rotate()
    box.keys.drop_old()
    assert open_seed(PhoneBox.open(tmp_path / "phone.key").draw_key, kept, "d1") == SEED


@pytest.mark.parametrize(
    ("key", "draw_id", "cut"), [(bytes([1] * 32), "d1", 0), (KEY, "d2", 0), (KEY, "d1", 4)]
)
def test_no_other_key_no_other_draw_and_no_part_of_it_opens_a_seed(key, draw_id, cut):
    kept = seal_seed(KEY, SEED, "d1")
    with pytest.raises(SeedSealed):
        open_seed(key, kept[: len(kept) - cut], draw_id)


async def test_a_draw_without_its_key_waits_with_an_alarm_until_the_key_is_back(centre, draw, clock):
    right = centre.context.phones.draw_key
    centre.context.phones.draw_key = KEY
    clock.advance(TO_OPENING)
    await enter(centre, draw, 0)
    clock.advance(WINDOW)
    keeper = PlaceKeeper(centre.context)
    for _ in range(3):
        await keeper.look()
    assert kept(centre, draw)["state"] == "open"
    alarm = centre.one("ALARMS")
    assert (alarm["kind"], alarm["count"], alarm["closed_at"]) == ("draw-stuck", 1, None)
    assert "phone.key" in alarm["text"]
    centre.context.phones.draw_key = right
    await look(centre)
    assert kept(centre, draw)["state"] == "allotted"
    assert centre.one("ALARMS")["closed_at"] is not None


def test_a_registration_does_not_print_its_phone():
    phone = a_phone()
    assert phone not in repr(DrawRequest([], phone, "web"))


def told(*arguments, text=None):
    result = CliRunner().invoke(app, ["draw", "verify", *arguments], input=text)
    return result.exit_code, result.output


async def test_anybody_verifies_a_draw_from_its_data(centre, draw, clock, tmp_path):
    shown, mine = await made(centre, clock, draw, people=5)
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(shown), "utf-8")
    place = shown["order"].index(mine[2]) + 1
    code, said = told(str(file), "--mine", mine[2], "--commitment", draw["commitment"].upper())
    assert code == 0
    assert said.splitlines() == [
        "ok  the commitment is the one you noted",
        "ok  the seed is the one that was committed to",
        "ok  5 registrations, each once",
        "ok  the order follows from the seed",
        f"ok  registration {mine[2]} is number {place} of 5",
    ]
    assert told("-", text=json.dumps(shown))[0] == 0


@pytest.mark.parametrize(
    ("change_of", "says"),
    [
        (lambda d: {"order": d["order"][::-1]}, "NOT the order does not follow"),
        (lambda d: {"seed": "11" * 32}, "NOT the seed is not the one"),
        (lambda d: {"registrations": d["registrations"] * 2}, "stands there twice"),
    ],
)
async def test_a_draw_that_was_tampered_with_is_told(centre, draw, clock, change_of, says):
    shown, _ = await made(centre, clock, draw, people=5)
    code, said = told("-", text=json.dumps({**shown, **change_of(shown)}))
    assert code == 1
    assert says in said


async def test_another_commitment_or_a_strangers_id_is_told(centre, draw, clock):
    shown, _ = await made(centre, clock, draw)
    text = json.dumps(shown)
    assert told("-", "--commitment", "00", text=text)[0] == 1
    assert told("-", "--mine", "nobody", text=text)[0] == 1


async def test_a_draw_is_verified_by_the_address_of_its_page(centre, draw, clock):
    shown, mine = await made(centre, clock, draw)
    async with web_of(centre) as web, served(web.app) as url:
        for path in ("/draws/", "/api/public/draws/"):
            address = f"{url}{path}{draw['draw_id']}?mine=x"
            code, said = await asyncio.to_thread(told, address, "--mine", mine[0])
            assert code == 0, said
        page = (await web.client.get(f"/draws/{draw['draw_id']}?mine={mine[0]}")).text
        assert f"您排在第 {shown['order'].index(mine[0]) + 1} 位，共 3 人" in page
        assert "没有这个编号" in (await web.client.get(f"/draws/{draw['draw_id']}?mine=nobody")).text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"commitment": "00", "seed": "00"}'])
def test_what_is_no_draw_is_refused_with_a_sentence(text):
    result = CliRunner().invoke(app, ["draw", "verify", "-"], input=text)
    assert "draw" in str(result.exception) or "read" in str(result.exception)


async def test_a_draw_that_is_still_to_come_cannot_be_verified_yet(centre, draw):
    shown = await draw_view(centre.context, draw["draw_id"])
    result = CliRunner().invoke(app, ["draw", "verify", "-"], input=json.dumps(shown))
    assert "not made yet" in str(result.exception)
