"""What both programs show, and how they serve it: tokens, icons, words, problems. No logic of halls."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["LANGUAGES", "STATIC", "icon", "templates", "words"]

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
#: first is what everybody sees unless they choose
LANGUAGES = ("zh", "en")


def templates(*extra_dirs: Path) -> Environment:
    """Templates of `extra_dirs` before the shared ones; undefined names are errors, text is escaped."""
    env = Environment(
        loader=FileSystemLoader([*extra_dirs, _HERE / "templates"]),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["icon"] = icon
    return env


@cache
def words(lang: str) -> Mapping[str, Any]:
    """The catalogue of one language, by screen. Raises FileNotFoundError for a language not kept."""
    return tomllib.loads((_HERE / "words" / f"{lang}.toml").read_text("utf-8"))


@cache
def icon(name: str) -> Markup:
    """An inline SVG in the colour and size of the text around it; decoration, never the only carrier."""
    svg = (_HERE / "icons" / f"{name}.svg").read_text("utf-8")
    body = svg[svg.index(">") + 1 :]
    head = (
        '<svg class="icon" aria-hidden="true" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
    )
    return Markup(head + " ".join(body.split()))  # noqa: S704 - our own files
