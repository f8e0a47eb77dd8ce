"""Templates that providers approve ahead: one for each kind of notice, and which ones a gateway's URL lacks.

`KIND=ID` in the URL names the template of a kind; `KIND=-` says that this gateway is not to send it.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from controller.gateways.address import GatewayUrl
from controller.use_cases.notice_kinds import ALL_KINDS
from hall_core.errors import GatewayRejected

__all__ = ["OFF", "PROVIDERS", "kinds_for", "lacking", "proposed", "template_of"]

#: schemes whose messages are templates
PROVIDERS = ("aliyun", "tencent", "wechat")
OFF = "-"
#: what somebody who took their number in WeChat is told there; the others go to a telephone
_WECHAT = ("called", "recall", "nearly", "confirmation", "postponed", "hall-closed")
#: kinds of WeChat's fields that our words fit into
_FIELDS = {"label": "character_string", "ahead": "thing", "counter": "thing", "hall": "thing"}


def kinds_for(scheme: str) -> tuple[str, ...]:
    """The kinds of notice that reach a gateway of this scheme, the most urgent first."""
    if scheme not in PROVIDERS:
        return ()
    known = _WECHAT if scheme == "wechat" else ALL_KINDS
    return tuple(sorted(known, key=lambda kind: ALL_KINDS[kind].urgency))


def template_of(url: GatewayUrl, kind: str) -> str:
    """The provider's id of a kind's template. Raises GatewayRejected when there is none."""
    template = url.option(kind)
    if template == OFF:
        raise GatewayRejected(f"{kind} is switched off")
    if not template:
        raise GatewayRejected(f"no template for {kind}")
    return template


def lacking(url: GatewayUrl) -> list[str]:
    """What is wrong with the templates of a gateway's URL, each with the remedy; empty when all is there."""
    kinds = kinds_for(url.scheme)
    missing = [kind for kind in kinds if not url.option(kind)]
    found = [*_misspelt(url, kinds), *(_fields(url, kinds) if url.scheme == "wechat" else ())]
    if missing:
        first, told = missing[0], f"`hall-controller templates {url.scheme}` says what they hold"
        remedy = f"Add {first}=ID to the URL, or {first}={OFF} to do without; {told}"
        found.append(f"no template for {', '.join(missing)}: not sent. {remedy}")
    return found


def _misspelt(url: GatewayUrl, kinds: tuple[str, ...]) -> Iterator[str]:
    for name in url.options:
        kind, _, word = name.partition(".")
        near = get_close_matches(kind, kinds, 1, 0.8) if kinds and kind not in kinds else []
        if near:
            yield f"{kind} is no kind of notice; is {near[0]} meant?"
        elif word and kind in kinds and word not in ALL_KINDS[kind].words:
            yield f"{name}: {kind} has no {word}, but {', '.join(ALL_KINDS[kind].words)}"


def _fields(url: GatewayUrl, kinds: tuple[str, ...]) -> Iterator[str]:
    for kind in kinds:
        words = ALL_KINDS[kind].words
        used = url.option(kind) not in ("", OFF)
        if used and not any(url.option(f"{kind}.{word}") for word in words):
            named = f"{kind}.{words[0]}"
            yield f"{kind} has a template and no field: add {named}=FIELD, the template's name for it"


def proposed(scheme: str) -> Iterator[tuple[str, str, str]]:
    """For each kind: its name, a text to have approved in this provider's notation, its part of the URL."""
    for kind in kinds_for(scheme):
        about = ALL_KINDS[kind]
        if scheme == "wechat":
            fields = [(word, f"{_FIELDS[word]}{n}") for n, word in enumerate(about.words, 1)]
            text = " ".join(f"{word}={{{{{field}.DATA}}}}" for word, field in fields)
            yield kind, text, "&".join([f"{kind}=ID", *(f"{kind}.{word}={field}" for word, field in fields)])
        else:
            yield kind, about.texts[0].format_map(_marks(scheme, about.words)), f"{kind}=ID"


def _marks(scheme: str, words: tuple[str, ...]) -> dict[str, str]:
    if scheme == "aliyun":
        return {word: f"${{{word}}}" for word in words}
    return {word: f"{{{n}}}" for n, word in enumerate(words, 1)}
