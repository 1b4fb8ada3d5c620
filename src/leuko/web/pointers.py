"""Where in a JSON text something stands, by its JSON pointer: an editor needs the line, a notice names the pointer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json import decoder
from typing import Any, Final, cast

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()
_scan = cast("Any", decoder).scanstring  # typeshed does not name it


class JsonText:
    """A JSON text that is asked for many places; what stands in an object or array is found once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._within: dict[int, dict[str, int]] = {}

    def line_of(self, pointer: str) -> int:
        """The line (from 1) of what a pointer names, or of as much of the way to it as there is."""
        at = _skip(self.text, 0)
        for part in pointer.split("/")[1:]:
            within = self._children(at)
            name = part.replace("~1", "/").replace("~0", "~")
            if name not in within:
                break
            at = within[name]
        return self.text.count("\n", 0, at) + 1

    def _children(self, at: int) -> dict[str, int]:
        if at not in self._within:
            try:
                self._within[at] = dict(_members(self.text, at))
            except (ValueError, IndexError, RecursionError):  # no JSON: then the place is as near as it gets
                self._within[at] = {}
        return self._within[at]


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Where the values within an object or array begin, by name or number."""
    kind = text[at]
    if kind not in "{[":
        return
    at, number = _skip(text, at + 1), 0
    while text[at] not in "}]":
        name = str(number)
        if kind == "{":
            name, at = _scan(text, at + 1, True)
            at = _skip(text, _skip(text, at) + 1)
        yield name, at
        _, at = _DECODER.raw_decode(text, at)
        at, number = _skip(text, at), number + 1
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
