"""Writes the pages of docs/ that come from the code: `python docs/generate.py`, or `--check` to compare only.

Every page is made by a pure function of the code; the same code makes the same bytes.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from makers import acl, asyncapi, devices, openapi, problems, settings, states

DOCS = Path(__file__).resolve().parent

PAGES: dict[str, Callable[[], str]] = {
    "acl.md": acl.page,
    "asyncapi.json": asyncapi.page,
    "devices.md": devices.page,
    "openapi-agent.json": openapi.agent_page,
    "openapi-controller.json": openapi.controller_page,
    "problems.md": problems.page,
    "settings.md": settings.page,
    "states.md": states.page,
}


def main() -> int:
    """0 when all pages are as the code says (or have been written), 1 when `--check` finds another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name the pages that are stale")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, "utf-8")
    for name in stale:
        print(f"docs/{name}: {'is stale: run .venv/bin/python docs/generate.py' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
