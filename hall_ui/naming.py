"""How counters are named to people."""

import re

__all__ = ["in_words", "sign", "together"]


def sign(name: str) -> tuple[str, str]:
    """A counter's name as its number and the words after it; no number, no first part."""
    match = re.fullmatch(r"(\d{1,3})\s*(.{0,6})", name)
    return (match[1], match[2] or "号窗口") if match else ("", name)


def in_words(name: str, lang: str) -> str:
    """A counter inside a sentence: `3号窗口`, in English `counter 3`; another name stays as it is."""
    number, after = sign(name)
    return f"counter {number}" if lang == "en" and number and after == "号窗口" else name


def together(names: list[str], lang: str) -> str:
    """Several counters in one phrase: `1、3号窗口` when all are numbered alike."""
    comma, words = (", ", "") if lang == "en" else ("、", "号窗口")
    signs = [sign(name) for name in names]
    if names and all(number and after == "号窗口" for number, after in signs):
        return comma.join(number for number, _ in signs) + words
    return comma.join(names)
