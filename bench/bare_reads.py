"""The floor under a public read: FastAPI and uvicorn with one route, one row of SQLite by its key.

`python bench/bare_reads.py DATABASE BYTES` answers `GET /rows/{n}` with a body of so many bytes.
"""

import sqlite3
import sys

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

from simulators.demo_programs import free_port

ROWS = 100


def main(database: str, size: int) -> None:
    """Serve until killed."""
    disk = sqlite3.connect(database, isolation_level=None)
    disk.executescript("PRAGMA journal_mode=wal; CREATE TABLE halls (n INTEGER PRIMARY KEY, body TEXT)")
    disk.executemany(
        "INSERT INTO halls VALUES (?, ?)", [(n, '"' + "x" * (size - 2) + '"') for n in range(ROWS)]
    )
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/rows/{n}")
    async def read(n: int) -> Response:
        [body] = disk.execute("SELECT body FROM halls WHERE n = ?", (n % ROWS,)).fetchone()
        return Response(body, media_type="application/json")

    port = free_port()
    print(f"ready http://127.0.0.1:{port}", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
