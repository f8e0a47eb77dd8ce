"""docs/settings.md: every setting of the programs, from their settings classes."""

from types import NoneType
from typing import Any, get_args

from makers.markdown import MADE, table
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from controller.settings import ControllerSettings
from edge_agent.settings import AgentSettings, SatelliteSettings

__all__ = ["page"]


def page() -> str:
    """The page."""
    return "\n".join(
        [
            MADE,
            "# Settings · 设置\n",
            "Each setting is an option on the command line or an environment variable; the option wins.\n",
            "## hall-agent\n",
            _of(AgentSettings),
            "## hall-agent --role satellite\n",
            _of(SatelliteSettings),
            "## hall-controller\n",
            _of(ControllerSettings),
        ]
    )


def _of(settings: type[BaseSettings]) -> str:
    prefix = str(settings.model_config.get("env_prefix", ""))
    rows = [
        (
            f"`--{n.replace('_', '-')}`",
            f"`{(prefix + n).upper()}`",
            _type(f),
            _default(f),
            f.description or "",
        )
        for n, f in settings.model_fields.items()
    ]
    return table(["option", "environment", "type", "default", "meaning"], rows)


def _type(field: FieldInfo) -> str:
    kinds: tuple[Any, ...] = get_args(field.annotation) or (field.annotation,)
    return ", ".join(k.__name__ if isinstance(k, type) else str(k) for k in kinds if k is not NoneType)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default in (None, ""):
        return "–"
    return f"`{field.default}`"
