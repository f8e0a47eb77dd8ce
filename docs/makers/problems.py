"""docs/problems.md: every refusal a person or program can meet."""

import inspect

from makers.markdown import MADE, table

from hall_core.errors import Refused

__all__ = ["page"]


def page() -> str:
    """The page."""
    kinds = sorted(_all(Refused), key=lambda kind: kind.slug)
    rows = [(f"`{k.slug}`", k.status, k.zh, k.en.replace("!r}", "}"), inspect.getdoc(k)) for k in kinds]
    return "\n".join(
        [
            MADE,
            "# Problems · 错误说明\n",
            "Both programs answer errors as RFC 9457 problem details (`application/problem+json`). `type` is",
            "one of these stable names, `title` the Chinese sentence, `detail` the English one; what stands",
            "in braces is also a member of the answer.\n",
            table(["type", "status", "中文", "English", "meaning"], rows),
        ]
    )


def _all(kind: type[Refused]) -> list[type[Refused]]:
    return [deeper for child in kind.__subclasses__() for deeper in (child, *_all(child))]
