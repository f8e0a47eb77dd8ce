"""Tables and their history agree, on both databases, and an old database is taken over as it is."""

import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from controller.store import people
from controller.store.database import Database
from controller.use_cases.people import add_admin
from hall_core.errors import SettingsInvalid


def differences(url: str) -> list[object]:
    database = Database.open(url)

    def look(tx):
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        return compare_metadata(context, SQLModel.metadata)

    try:
        return database.read_now(look)
    finally:
        database.close()


def test_the_migrations_make_the_tables_of_sqlite(tmp_path):
    assert differences(f"sqlite:///{tmp_path / 'controller.db'}") == []


@pytest.mark.postgres
def test_the_migrations_make_the_tables_of_postgresql(postgres):
    assert differences(postgres) == []


def test_a_second_start_keeps_what_is_there(tmp_path, clock):
    url = f"sqlite:///{tmp_path / 'controller.db'}"
    for expected in (False, True):
        database = Database.open(url)
        assert database.read_now(people.any_admin) is expected
        database.write_now(lambda tx: add_admin(tx, "chief", clock))
        database.close()


def test_work_that_fails_leaves_nothing_behind(tmp_path, clock):
    database = Database.open(f"sqlite:///{tmp_path / 'controller.db'}")

    def half(tx):
        add_admin(tx, "chief", clock)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write_now(half)
    assert not database.read_now(people.any_admin)
    database.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "nonsense", "postgresql://qh:secret@127.0.0.1:1/x"]
)
def test_a_database_that_cannot_be_used_stops_the_program_and_tells_no_password(url):
    with pytest.raises(SettingsInvalid) as caught:
        Database.open(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_stops_the_program(tmp_path):
    path = tmp_path / "controller.db"
    path.write_bytes(b"this is a letter, not a database" * 200)
    with pytest.raises(SettingsInvalid):
        Database.open(f"sqlite:///{path}")


def test_a_table_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "controller.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    Database.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT count(*) FROM theirs").fetchone() == (0,)
    other.close()
