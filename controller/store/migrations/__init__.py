"""The tables' history (Alembic). Run at every start, inside one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["config_for", "migrate"]


def config_for(connection: Connection) -> Config:
    """Alembic's configuration for a live connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(connection: Connection) -> None:
    """Bring the tables to this version; two programs starting at once wait for each other."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7261001)")
    command.upgrade(config_for(connection), "head")
