"""A folder of profiles, each read once."""

import codecs
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from firmware_profiles.place import Place, find_place
from hall_core.devices.profile import Profile
from hall_core.errors import ProfileInvalid

__all__ = ["Shelf"]

_REMEDIES = {
    "missing": "add this key",
    "extra_forbidden": "remove the key or mend its spelling",
    "literal_error": "take one of the values named",
    "enum": "take one of the values named",
    "string_pattern_mismatch": "mend the spelling",
}


class Shelf:
    """The profiles of one folder. Remembers what it has read: whoever needs news makes a new one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(__file__).parent
        self._read: dict[str, Profile] = {}

    def load(self, profile_id: str) -> Profile:
        """The profile with this id. Raises ProfileInvalid."""
        if profile_id not in self._read:
            path = self.folder / f"{profile_id}.yaml"
            if Path(profile_id).name != profile_id or not path.is_file():
                raise ProfileInvalid(
                    f"{path.name}: 没有这个型号档案，现有：{'、'.join(self.ids())}"
                    f" (no such profile: write the file or mend the id {profile_id!r})"
                )
            self._read[profile_id] = _read_profile(path)
        return self._read[profile_id]

    def all(self) -> dict[str, Profile]:
        """All of them by id. Raises ProfileInvalid for the first that is wrong."""
        return {profile_id: self.load(profile_id) for profile_id in self.ids()}

    def ids(self) -> tuple[str, ...]:
        """The ids on the shelf, sorted."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.yaml")))


def _read_profile(path: Path) -> Profile:
    tree, value = _parse(path)
    try:
        profile = Profile.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = find_place(tree, first["loc"])
        remedy = _REMEDIES.get(first["type"], "mend the value")
        raise ProfileInvalid(_sentence(path, place, first["msg"], remedy)) from error
    _check(path, tree, profile)
    return profile


def _parse(path: Path) -> tuple[yaml.Node, Any]:
    text = path.read_text(encoding="utf-8")
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place((), mark.line + 1 if mark else 1)
        raise ProfileInvalid(
            _sentence(path, place, str(getattr(error, "problem", error)), "mend the YAML")
        ) from error
    if tree is None or not isinstance(value, dict):
        raise ProfileInvalid(_sentence(path, Place((), 1), "the file holds no mapping", "write `schema: …`"))
    _refuse_twins(path, tree, ())
    return tree, value


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
                raise ProfileInvalid(_sentence(path, place, "the key stands twice", "remove one of the two"))
            seen.add(key.value)
            _refuse_twins(path, item, here)


def _check(path: Path, tree: yaml.Node, profile: Profile) -> None:
    """What the schema cannot say."""

    def wrong(loc: tuple[str | int, ...], what: str, remedy: str) -> ProfileInvalid:
        return ProfileInvalid(_sentence(path, find_place(tree, loc), what, remedy))

    if profile.id != path.stem:
        raise wrong(("id",), f"the id is {profile.id!r}", f"name it {path.stem!r}, like the file")
    if profile.tcp is None and profile.serial is None:
        raise wrong((), "neither `tcp` nor `serial` is given", "say how the device is connected")
    try:
        codecs.lookup(profile.encoding)
    except LookupError as error:
        raise wrong(("encoding",), str(error), "take gbk, gb18030, ascii or utf-8") from error
    for index, frame in enumerate(profile.frames):
        for key, text in (("sent", frame.sent), ("answer", frame.answer)):
            try:
                bytes.fromhex(text)
            except ValueError as error:
                raise wrong(("frames", index, key), str(error), "write pairs of hex digits") from error


def _sentence(path: Path, place: Place, what: str, remedy: str) -> str:
    where = ".".join(str(part) for part in place.loc) or "profile"
    return f"{path.name}:{place.line}: {where}: {what} — 请更正 (remedy: {remedy})"
