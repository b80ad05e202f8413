"""YAML as scripts are written in it: what JSON knows as well, and nothing else.

A script travels as JSON and its arguments become JSON, so that a date or a key that is no text would only fail when the
model is asked. Here it is refused with its line, as is a key that stands twice: PyYAML would keep the last one.
"""

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from durable_loop.testing.errors import ScriptError
from durable_loop.testing.script_json import TWICE

__all__ = ["parsed", "written"]

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Take in a mapping as it is written, before others are merged into it."""
        node = super().compose_mapping_node(anchor)  # pyright: ignore[reportUnknownMemberType] - PyYAML's stubs
        seen = set[str]()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _refusal(key, TWICE.format(key=key.value))
                seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Make the value, and say the line of one that PyYAML itself stumbles over (`!!int x`)."""
        try:
            return super().construct_object(node, deep)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - PyYAML's stubs
        except (ValueError, LookupError) as error:
            raise _refusal(node, f"{node.value} is no value: {error}") from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Make a mapping whose keys are text."""
        made = super().construct_mapping(node, deep)
        for key, _ in node.value:
            if key.tag != f"{_TAG}str":
                raise _refusal(key, f'the key {key.value} is no text: write it in quotes, "{key.value}"')
        return made


def _refusal(node: yaml.Node, words: str) -> ConstructorError:
    return ConstructorError(None, None, words, node.start_mark)


def _no_date(_: _Loader, node: yaml.Node) -> Any:
    raise _refusal(node, f'{node.value} is a date in YAML, and scripts have none: write it in quotes, "{node.value}"')


def _no_such_kind(_: _Loader, node: yaml.Node) -> Any:
    kind = node.tag.removeprefix(_TAG)
    raise _refusal(node, f"scripts have no {kind}: write text, a number, true, false, null, a list or a mapping")


_Loader.add_constructor(f"{_TAG}timestamp", _no_date)
for _kind in ("binary", "set", "omap", "pairs"):
    _Loader.add_constructor(_TAG + _kind, _no_such_kind)


def parsed(path: Path, text: str) -> Any:
    """Return what the YAML of a script's file says.

    Raises:
        ScriptError: it is no YAML, or has what JSON has not.
    """
    try:
        loader = _Loader(text)
        loader.name = path.name  # which PyYAML tells with the line
        return loader.get_single_data()
    except ConstructorError as error:
        raise ScriptError(f"The script {path} cannot be used: {error}") from error
    except yaml.YAMLError as error:
        raise ScriptError(f"The script {path} is no YAML: {error}") from error


def written(content: Any) -> str:
    """Return a script's content as YAML."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
