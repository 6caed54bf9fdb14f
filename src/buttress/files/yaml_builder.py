"""Located data out of YAML, node by node."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import yaml

from buttress.errors import InputError
from buttress.files.encodable import encodable
from buttress.files.located_yaml import FieldPath, Located
from buttress.files.yaml_loader import BoundedLoader, json_as_yaml

_MAX_NODES: Final = 200_000
_MAX_DEPTH: Final = 60
_WHOLE_NUMBER: Final = "tag:yaml.org,2002:int"
_LEAST_NUMBER: Final = -(1 << 63)
_MOST_NUMBER: Final = (1 << 63) - 1


def built(located: Located, text: str, duplicates: bool) -> Located:
    """``located`` with the data of ``text``; arguments as ``located_yaml.parse`` has them.

    Raises:
        InputError: as ``located_yaml.parse``.
    """
    try:
        return _built(located, text, duplicates)
    except InputError:
        if (readable := json_as_yaml(text)) == text:
            raise
    return _built(Located(located.file, None), readable, duplicates)


def _built(located: Located, text: str, duplicates: bool) -> Located:
    file = located.file
    try:
        instance = BoundedLoader(text)
        try:
            node = instance.get_single_node()
            if node is not None:
                located.data = _Builder(instance, located, duplicates).build(node, (), 0)
        finally:
            instance.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise InputError(
            f"not valid YAML: {problem}",
            file=file,
            line=min(mark.line, text.count("\n")) + 1 if mark else None,
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=file) from None
    except UnicodeEncodeError:
        raise InputError("a character that UTF-8 can't hold", file=file) from None
    return located


class _Builder:
    """Turns YAML nodes into plain data, recording lines."""

    def __init__(self, loader: BoundedLoader, located: Located, duplicates: bool) -> None:
        self._loader = loader
        self._located = located
        self._duplicates = duplicates
        self._nodes = 0

    def build(self, node: yaml.Node, path: FieldPath, depth: int) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        if self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
            raise InputError("too large or nested too deeply", file=self._located.file, line=line)
        self._located.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(item, (*path, index), depth + 1) for index, item in enumerate(node.value)
            ]
        if self._duplicates and node.tag.startswith("!"):  # of a tool, as `!Sub` and `!reference`
            return encodable(str(node.value))
        try:
            value = self._loader.construct_object(node)
        except (ValueError, OverflowError, KeyError, AttributeError) as error:
            if self._duplicates and node.tag == _WHOLE_NUMBER:
                return str(node.value)
            raise InputError(str(error), file=self._located.file, line=line) from None
        if isinstance(value, int) and not _LEAST_NUMBER <= value <= _MOST_NUMBER:
            if self._duplicates:
                return str(node.value)
            raise self._located.error(
                path, "a whole number of more than 64 bits", "a number that 64 bits can hold"
            )
        if isinstance(value, date):
            return str(node.value)  # as it is written
        if isinstance(value, bytes):
            raise InputError("binary data", file=self._located.file, line=line, expected="text")
        return encodable(value) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, path: FieldPath, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError(
                    "key is not plain text", file=self._located.file, line=line, expected="a name"
                )
            key = encodable(str(key_node.value))
            if key in data and not self._duplicates:
                raise InputError(
                    f"'{key}' is given twice", file=self._located.file, line=line, expected="once"
                )
            self._located.lines[(*path, key)] = line
            data[key] = self.build(value_node, (*path, key), depth + 1)
        return data
