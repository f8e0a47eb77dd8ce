"""The little Markdown that generated pages are made of."""

from collections.abc import Iterable, Sequence

__all__ = ["MADE", "table"]

#: stands at the head of every generated page
MADE = "<!-- Made from the code by docs/generate.py: change the code, not this page. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; bars and line breaks in cells are made harmless."""

    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *(line(row) for row in rows)]) + "\n"
