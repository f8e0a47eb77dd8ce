"""Static files under names that change with their content, so that no screen keeps an old one."""

import hashlib
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response

__all__ = ["Assets"]

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """The files of some folders, found once; a later folder does not hide an earlier one's file."""

    def __init__(self, *folders: Path) -> None:
        self._files: dict[str, tuple[Path, str]] = {}
        for folder in folders:
            for path in sorted(p for p in folder.rglob("*") if p.suffix in _KINDS):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
                self._files.setdefault(path.relative_to(folder).as_posix(), (path, digest))

    def url(self, name: str) -> str:
        """Address of a file. Raises KeyError for a file that is not there."""
        return f"/static/{name}?v={self._files[name][1]}"

    def version(self) -> str:
        """One short word for all files together."""
        return hashlib.sha256("".join(d for _, d in self._files.values()).encode()).hexdigest()[:12]

    def answer(self, name: str, version: str | None) -> Response:
        """The file; kept for a year when asked for by its version, else asked for again each time."""
        if name not in self._files:
            return PlainTextResponse("not found", status_code=404)
        path, digest = self._files[name]
        keep = "public, max-age=31536000, immutable" if version == digest else "no-cache"
        return FileResponse(path, media_type=_KINDS[path.suffix], headers={"Cache-Control": keep})
