"""What every row is given: a folder on a real disk, how thorough to be, and a way to say how far it is."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Run"]


@dataclass(slots=True)
class Run:
    """One row under measurement. `say` replaces the line that shows how far it is."""

    folder: Path
    quick: bool
    say: Callable[[str], None]

    def fresh_folder(self, name: str) -> Path:
        """An empty folder on the disk that is measured."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    async def rest(self, seconds: float = 1.0) -> None:
        """Let disk and processor come to rest between two measurements."""
        await asyncio.sleep(0.2 if self.quick else seconds)
