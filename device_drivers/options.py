"""What families share in reading options: the profile's, overlaid with the device's own."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import CounterMode, CounterPicture
from hall_core.errors import ProfileInvalid, SettingsInvalid

__all__ = ["Options", "Shows", "Template", "read_options", "say"]

_FIELDS = {"name": "3号窗口", "label": "A001", "text": "请A001号到3号窗口", "counter": "3", "waiting": 0}


def _fits(template: str) -> str:
    try:
        template.format(**_FIELDS)
    except (KeyError, IndexError, ValueError) as error:
        known = " ".join("{" + field + "}" for field in _FIELDS)
        raise ValueError(f"{template!r}: unknown field {error}; known are {known}") from error
    return template


#: a text with {name} of the counter, {label} of the ticket, {text} the sentence, {counter} its id, {waiting}
Template = Annotated[str, AfterValidator(_fits)]
Shows = dict[CounterMode, Template]


class Options(BaseModel):
    """Base of a family's options: an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(kind: type[OptionsT], setup: DeviceSetup, profile: Profile) -> OptionsT:
    """Raises ProfileInvalid when the profile is wrong, SettingsInvalid when the hall's own options are."""
    try:
        options = kind.model_validate(profile.options)
    except ValidationError as error:
        raise ProfileInvalid(
            f"{profile.id}.yaml: options.{_first(error)} — 请更正 (mend this option)"
        ) from error
    if not setup.options:
        return options
    try:
        return kind.model_validate(_overlay(profile.options, setup.options))
    except ValidationError as error:
        raise SettingsInvalid(
            f"设备「{setup.name}」options.{_first(error)} — 请在大厅文件中更正 (mend it in the hall file)"
        ) from error


def say(shows: Shows, picture: CounterPicture) -> str:
    """The text a device shows for a picture; empty when the mode is not mentioned."""
    return shows.get(picture.mode, "").format(
        name=picture.name,
        label=picture.label or "",
        text=picture.text,
        counter=picture.counter,
        waiting=picture.waiting,
    )


def _overlay(below: Mapping[Any, Any], above: Mapping[Any, Any]) -> dict[Any, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _overlay(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
