import sqlite3

import pytest

from edge_agent.journal import WishCursor
from hall_core.errors import JournalBroken, StorageUnavailable
from hall_core.queueing.facts import BusinessDayOpened, HallConfigured
from hall_core.queueing.summary import state_hash
from tests.edge_agent.conftest import DAY, STREAM, issue, open_journal, running


def fact(clock):
    return BusinessDayOpened(at=clock.now(), day=DAY)


def test_facts_are_numbered_from_one_without_gaps(journal_path, clock):
    journal = open_journal(journal_path)
    assert journal.append([fact(clock)] * 3) == 3
    assert [f.n for f in journal.read(0, 10)] == [1, 2, 3]
    assert [f.n for f in journal.read(2, 10)] == [3]
    journal.close()


def test_a_commit_is_durable_by_its_settings(journal_path):
    journal = open_journal(journal_path)
    level = journal._writer.execute("PRAGMA synchronous").fetchone()[0]
    mode = journal._writer.execute("PRAGMA journal_mode").fetchone()[0]
    assert (level, mode) == (2, "wal")
    journal.close()


def test_the_stream_stays_and_the_boot_counts_over_restarts(journal_path):
    journal = open_journal(journal_path)
    first = (journal.stream, journal.boot)
    journal.close()
    journal = open_journal(journal_path)
    assert (journal.stream, journal.boot) == (STREAM, first[1] + 1)
    journal.close()


def test_a_malformed_file_is_set_aside_and_a_new_incarnation_begins(journal_path, clock):
    journal = open_journal(journal_path)
    journal.append([fact(clock)])
    journal.close()
    journal_path.write_bytes(b"\xff" * 8192)
    journal = open_journal(journal_path)
    assert journal.last == 0
    assert (journal_path.parent / "journal.db.corrupt.20261123T020000").exists()
    journal.close()


async def test_a_restart_rebuilds_exactly_the_same_queue(journal_path, clock, setup):
    async with running(journal_path, clock, setup) as hall:
        for n in range(20):
            await hall.handle(issue(n))
        before = hall.queue
    async with running(journal_path, clock, setup) as hall:
        assert hall.queue == before
        assert state_hash(hall.queue) == state_hash(before)


async def test_a_snapshot_and_the_facts_after_it_give_the_same_queue(journal_path, clock, setup, monkeypatch):
    monkeypatch.setattr("edge_agent.journal.SNAPSHOT_EVERY", 7)
    async with running(journal_path, clock, setup) as hall:
        for n in range(20):
            await hall.handle(issue(n))
        before = hall.queue
        kept = hall.journal._reader.execute("SELECT COUNT(*) FROM snapshots").fetchone()[0]
    assert kept == 2
    async with running(journal_path, clock, setup) as hall:
        assert hall.queue == before


def test_wish_cursor_and_facts_are_stored_together(journal_path, clock):
    journal = open_journal(journal_path)
    journal.append([fact(clock)], WishCursor("stream", 5), acked=1)
    journal.close()
    journal = open_journal(journal_path)
    assert journal.wishes() == WishCursor("stream", 5)
    journal.close()


def test_a_full_disk_stores_nothing_and_the_box_can_go_on(journal_path, clock):
    journal = open_journal(journal_path)
    journal.append([fact(clock)])
    pages = journal._writer.execute("PRAGMA page_count").fetchone()[0]
    journal._writer.execute(f"PRAGMA max_page_count={pages}")
    big = HallConfigured.model_construct(at=clock.now(), kind="hall-configured", setup="x" * 100_000)
    with pytest.warns(UserWarning, match="serialized value"), pytest.raises(StorageUnavailable):
        journal.append([big])
    journal._writer.execute(f"PRAGMA max_page_count={pages + 1000}")
    assert journal.append([fact(clock)]) == 2
    assert [f.n for f in journal.read(0, 10)] == [1, 2]
    journal.close()


def test_an_input_output_error_is_fatal(journal_path, clock):
    journal = open_journal(journal_path)
    journal._writer.close()
    journal._writer = sqlite3.connect(f"file:{journal_path}?mode=ro", uri=True, isolation_level=None)
    with pytest.raises(JournalBroken, match="reopened"):
        journal.append([fact(clock)])
    journal.close()
