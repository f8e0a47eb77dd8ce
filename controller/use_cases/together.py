"""Small writes that happen at the same time share one transaction: one of them alone costs as much as all."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from controller.store.database import STORAGE_DOWN, Database, Tx

__all__ = ["Together"]


T = TypeVar("T")


class Together:
    """`write` returns after COMMIT. Works only while `run` does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[Callable[[Tx], Any], asyncio.Future[Any]]] = deque()
        self._news = asyncio.Event()

    async def write(self, work: Callable[[Tx], T]) -> T:
        """`work` in a transaction with others, none of which sees the others fail. Raises STORAGE_DOWN."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        self._news.set()
        return await done

    async def run(self) -> None:
        """Commit whatever there is, again and again."""
        while True:
            await self._news.wait()
            self._news.clear()
            # Whoever is about to write too may do so first.
            await asyncio.sleep(0)
            batch = list(self._waiting)
            self._waiting.clear()
            await self._commit(batch)

    async def _commit(self, batch: list[tuple[Callable[[Tx], Any], asyncio.Future[Any]]]) -> None:
        try:
            results = await self._database.write(lambda tx: [work(tx) for work, _ in batch])
        except STORAGE_DOWN as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), result in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result)
