"""A folder of profiles, each read once. A profile may say only what differs from another one (`extends`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from firmware_profiles.place import Place, find_place
from hall_core.devices.profile import Profile, overlaid
from hall_core.errors import ProfileInvalid

__all__ = ["Shelf"]

_REMEDIES = {
    "missing": "add this key",
    "extra_forbidden": "remove the key or mend its spelling",
    "literal_error": "take one of the values named",
    "enum": "take one of the values named",
    "string_pattern_mismatch": "mend the spelling",
}
#: what a profile says for itself alone: it is never taken from the profile it extends
_OWN = ("schema", "id", "name", "status", "match", "quirks", "frames", "extends")
#: nobody waits longer than this for one answer (s)
_LONGEST_S = 15.0
#: ten times as fast where the library has it
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """One file as it was read."""

    path: Path
    tree: yaml.Node
    value: dict[str, Any]


class Shelf:
    """The profiles of one folder, and of the folder `below` it. Remembers what it has read.

    A profile here may extend one below. Whoever needs news makes a new shelf.
    """

    def __init__(self, folder: Path | None = None, below: "Shelf | None" = None) -> None:
        self.folder, self.below = folder or Path(__file__).parent, below
        self._read: dict[str, Profile] = {}
        self._pages: dict[str, _Page] = {}

    def load(self, profile_id: str) -> Profile:
        """The profile with this id. Raises ProfileInvalid."""
        if profile_id not in self._read:
            if self.below is not None and not self._path(profile_id).is_file():
                return self.below.load(profile_id)
            self._read[profile_id] = self._profile(self._page(profile_id))
        return self._read[profile_id]

    def all(self) -> dict[str, Profile]:
        """All of them by id. Raises ProfileInvalid for the first that is wrong."""
        return {profile_id: self.load(profile_id) for profile_id in self.ids()}

    def ids(self) -> tuple[str, ...]:
        """The ids on the shelf, sorted."""
        below = self.below.ids() if self.below else ()
        return tuple(sorted({*below, *(path.stem for path in self.folder.glob("*.yaml"))}))

    def place(self, profile_id: str, loc: tuple[str | int, ...]) -> str:
        """`file:line: place` of a value, also of one that stands in a profile this one extends."""
        mine = page = self._page(profile_id)
        seen = {profile_id}
        while not _has(page.value, loc):
            parent = str(page.value.get("extends"))
            if parent in seen or parent not in self.ids():
                page = mine  # nobody says it: here is where it could be said
                break
            seen.add(parent)
            page = self._page(parent)
        return _where(page.path, find_place(page.tree, loc))

    def _path(self, profile_id: str) -> Path:
        if Path(profile_id).name != profile_id:
            raise self._unknown(profile_id)
        return self.folder / f"{profile_id}.yaml"

    def _page(self, profile_id: str) -> _Page:
        if profile_id not in self._pages:
            path = self._path(profile_id)
            if not path.is_file():
                if self.below is None:
                    raise self._unknown(profile_id)
                return self.below._page(profile_id)  # noqa: SLF001 - shelves are of one kind
            self._pages[profile_id] = _parse(path)
        return self._pages[profile_id]

    def _unknown(self, profile_id: str) -> ProfileInvalid:
        return ProfileInvalid(
            f"{Path(profile_id).name}.yaml: 没有这个型号档案，现有：{'、'.join(self.ids())}"
            f" (no such profile: write the file or mend the id {profile_id!r})"
        )

    def _profile(self, page: _Page) -> Profile:
        value = self._with_parents(page, (page.path.stem,))
        try:
            profile = Profile.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            remedy = _REMEDIES.get(first["type"], "mend the value")
            raise ProfileInvalid(self._sentence(page, first["loc"], first["msg"], remedy)) from error
        self._check(page, profile)
        return profile

    def _with_parents(self, page: _Page, line: tuple[str, ...]) -> dict[str, Any]:
        """The values of this file laid over those of the profile it extends."""
        parent = page.value.get("extends")
        if parent is None:
            return page.value
        if parent in line:
            circle = " → ".join((*line, str(parent)))
            raise ProfileInvalid(
                self._sentence(page, ("extends",), f"profiles extend each other: {circle}", "cut the circle")
            )
        if str(parent) not in self.ids():
            known = "、".join(self.ids())
            what = f"there is no profile {str(parent)!r}; there are {known}"
            raise ProfileInvalid(self._sentence(page, ("extends",), what, "name one of these"))
        below = self._with_parents(self._page(str(parent)), (*line, str(parent)))
        taken = {key: value for key, value in below.items() if key not in _OWN}
        family = page.value.get("family", taken.get("family"))
        if family != taken.get("family"):
            what = f"{parent!r} is of the family {taken.get('family')!r}, this one of {family!r}"
            raise ProfileInvalid(self._sentence(page, ("family",), what, "extend one of its own family"))
        return overlaid(taken, page.value)

    def _check(self, page: _Page, profile: Profile) -> None:
        """What the schema cannot say."""

        def wrong(loc: tuple[str | int, ...], what: str, remedy: str) -> ProfileInvalid:
            return ProfileInvalid(self._sentence(page, loc, what, remedy))

        if profile.id != page.path.stem:
            raise wrong(("id",), f"the id is {profile.id!r}", f"name it {page.path.stem!r}, like the file")
        if profile.tcp is None and profile.serial is None:
            raise wrong((), "neither `tcp` nor `serial` is given", "say how the device is connected")
        for loc, encoding in _encodings(profile):
            if not _is_text(encoding):
                raise wrong(loc, f"{encoding!r} is no encoding of text", "take gbk, gb18030, ascii or utf-8")
        self._check_quirks(page, profile)
        slow_s = profile.timing.response_timeout_ms / 1000 * (1 + profile.timing.retries)
        if slow_s > _LONGEST_S:
            what = f"a silent device is waited for {slow_s:g} s: response_timeout_ms times 1 + retries"
            raise wrong(("timing", "response_timeout_ms"), what, f"take less than {_LONGEST_S:g} s together")
        for loc, text in _hex_texts(profile):
            try:
                bytes.fromhex(text)
            except ValueError as error:
                raise wrong(loc, str(error), "write pairs of hex digits") from error

    def _check_quirks(self, page: _Page, profile: Profile) -> None:
        """A quirk that makes nonsense of its profile is found when it is read, not when it is needed."""
        for n, quirk in enumerate(profile.quirks):
            try:
                profile.changed(quirk.changes)
            except ValidationError as error:
                first = error.errors()[0]
                loc, remedy = (
                    ("quirks", n, "changes", *first["loc"]),
                    _REMEDIES.get(first["type"], "mend the value"),
                )
                raise ProfileInvalid(self._sentence(page, loc, first["msg"], remedy)) from error

    def _sentence(self, page: _Page, loc: tuple[str | int, ...], what: str, remedy: str) -> str:
        return f"{self.place(page.path.stem, loc)}: {what} — 请更正 (remedy: {remedy})"


def _has(value: Any, loc: tuple[str | int, ...]) -> bool:
    """True when this very file says something at this place."""
    for part in loc:
        known = isinstance(value, dict) and part in value
        if not known and not (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            return False
        value = value[part]
    return True


def _encodings(profile: Profile) -> Iterator[tuple[Loc, str]]:
    yield ("encoding",), profile.encoding
    for n, quirk in enumerate(profile.quirks):
        if quirk.changes.encoding is not None:
            yield ("quirks", n, "changes", "encoding"), quirk.changes.encoding


def _hex_texts(profile: Profile) -> Iterator[tuple[Loc, str]]:
    for n, frame in enumerate(profile.frames):
        yield ("frames", n, "sent"), frame.sent
        yield ("frames", n, "answer"), frame.answer


def _is_text(encoding: str) -> bool:
    try:
        "号 A018".encode(encoding, "replace")
    except (LookupError, TypeError):
        return False
    return True


def _parse(path: Path) -> _Page:
    text = path.read_text(encoding="utf-8")
    loader = _LOADER(text)
    try:
        tree = loader.get_single_node()
        value = None if tree is None else loader.construct_document(tree)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place((), mark.line + 1 if mark else 1)
        what = str(getattr(error, "problem", error))
        raise ProfileInvalid(f"{_where(path, place)}: {what} — 请更正 (remedy: mend the YAML)") from error
    finally:
        loader.dispose()
    if tree is None or not isinstance(value, dict):
        what = "the file holds no mapping — 请更正 (remedy: write `schema: …`)"
        raise ProfileInvalid(f"{_where(path, Place((), 1))}: {what}")
    _refuse_twins(path, tree, ())
    return _Page(path, tree, value)


def _refuse_twins(path: Path, node: yaml.Node, loc: tuple[str | int, ...]) -> None:
    """YAML lets the last of two equal keys win in silence; in a profile that is always a mistake."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _refuse_twins(path, item, (*loc, index))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, item in node.value:
            here = (*loc, key.value)
            if key.value in seen:
                place = Place(here, key.start_mark.line + 1)
                what = "the key stands twice — 请更正 (remedy: remove one of the two)"
                raise ProfileInvalid(f"{_where(path, place)}: {what}")
            seen.add(key.value)
            _refuse_twins(path, item, here)


def _where(path: Path, place: Place) -> str:
    return f"{path.name}:{place.line}: {'.'.join(str(part) for part in place.loc) or 'profile'}"
