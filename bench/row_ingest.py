"""Facts the controller takes in: its own decoding and its own transaction, 100 facts a message.

Baseline (`bare_rows.py`): SQLAlchemy Core, batches of 100 rows with the same bodies, on the same kind of
database, in turns with the controller.
"""

from collections.abc import Sequence
from itertools import chain, zip_longest
from time import perf_counter

from bench.bare_rows import BareRows
from bench.days import HallDay
from bench.figures import Figure, Target, figure
from bench.intake import opened_intake
from bench.postgres import find_postgres, own_postgres
from bench.runner import Run

__all__ = ["measure"]

HALLS, FACTS = 10, 3_000
TURNS = 10
SQLITE = Target(ratio_least=0.5, least=20_000)
POSTGRES = Target(ratio_least=0.5)


async def measure(run: Run) -> list[Figure]:
    """On SQLite, and on PostgreSQL where there is one."""
    folder = run.fresh_folder("ingest")
    run.say("living the days of the halls")
    days = [HallDay.lived(n, FACTS // 10 if run.quick else FACTS) for n in range(HALLS)]
    url, bare_url = (f"sqlite:///{folder / name}" for name in ("controller.db", "bare.db"))
    figures = [await _on(run, "ingest_sqlite", (url, bare_url), days, SQLITE)]
    programs = find_postgres()
    if programs is None:
        run.say("PostgreSQL is not installed: left out")
        return figures
    run.say("starting PostgreSQL")
    async with own_postgres(folder / "postgres", programs) as url:
        figures.append(await _on(run, "ingest_postgresql", (url, url), days, POSTGRES))
    return figures


async def _on(run: Run, row: str, urls: tuple[str, str], days: Sequence[HallDay], target: Target) -> Figure:
    """Every message once here and once there, in turns of equal parts."""
    messages = [m for m in chain.from_iterable(zip_longest(*(day.messages() for day in days))) if m]
    part = max(1, len(messages) // TURNS)
    spent = bare_spent = 0.0
    bare = BareRows(urls[1])
    try:
        async with opened_intake(urls[0], days) as intake:
            for start in range(0, len(messages), part):
                run.say(f"{row}: message {start} of {len(messages)}")
                some = messages[start : start + part]
                began = perf_counter()
                for message in some:
                    await intake.take(message)
                spent += perf_counter() - began
                bare_spent += bare.take(some)
            broken = await intake.wrong(days)
    finally:
        bare.close()
    facts = sum(len(m.bodies) for m in messages)
    note = f"{facts:,} facts of {len(days)} halls in {len(messages)} messages, one transaction each"
    return figure(
        row, facts / spent, "facts/s", target, baseline=facts / bare_spent, note=note, broken=broken
    )
