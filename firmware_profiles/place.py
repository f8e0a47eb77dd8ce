"""Where in a YAML file a value stands."""

from collections.abc import Sequence
from typing import NamedTuple

import yaml

__all__ = ["Place", "find_place"]


class Place(NamedTuple):
    """A path of keys and the line, counted from 1, where its value (or its nearest parent) begins."""

    loc: tuple[str | int, ...]
    line: int


def find_place(tree: yaml.Node, loc: Sequence[str | int]) -> Place:
    """Follow `loc` into the tree as far as it goes."""
    node, line = tree, tree.start_mark.line + 1
    for part in loc:
        below = _step(node, part)
        if below is None:
            break
        node, line = below
    return Place(tuple(loc), line)


def _step(node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item, item.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    return None
