"""The floor under the agent's footprint: FastAPI and uvicorn with one route, one FULL commit per POST.

`python bench/bare_web.py DATABASE PORT`
"""

import sqlite3
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Row(BaseModel):
    """What a ticket's row is made of."""

    row: str


def main(database: str, port: int) -> None:
    """Serve until killed."""
    disk = sqlite3.connect(database, isolation_level=None)
    disk.executescript(
        "PRAGMA journal_mode=wal; PRAGMA synchronous=FULL;"
        "CREATE TABLE IF NOT EXISTS facts (n INTEGER PRIMARY KEY, body TEXT)"
    )
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.post("/api/tickets", status_code=201)
    async def take(wanted: Row) -> dict[str, int]:
        done = disk.execute("INSERT INTO facts (body) VALUES (?)", (wanted.row,))
        return {"n": done.lastrowid or 0}

    print(f"ready http://127.0.0.1:{port}", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
