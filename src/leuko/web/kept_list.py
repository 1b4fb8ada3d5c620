"""What was kept by hand of a person, for the list on their page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

import msgspec

from leuko.record import Sign
from leuko.service.store.kept import Entry
from leuko.wording import say_date, say_list, say_number, say_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that was kept: its number, when and by whom, and what it is."""

    number: int
    when: str
    actor: str
    what: str


def kept_lines(entries: Iterable[Entry], zone: tzinfo) -> Iterator[Line]:
    """The entries, the newest first; times in the zone of the service."""
    for one in reversed(tuple(entries)):
        at = datetime.fromisoformat(one.at).astimezone(zone)
        yield Line(number=one.id, when=f"{say_date(at)}, {at:%H:%M}", actor=one.actor, what=_what(one))


def _what(one: Entry) -> str:
    if one.kind == "told":
        signs = msgspec.json.decode(one.payload, type=tuple[Sign, ...])
        there = [_sign(sign) for sign in signs if sign.present is not False]
        absent = len(signs) - len(there)
        asked = f"{absent} {'sign' if absent == 1 else 'signs'} asked for and not there" if absent else ""
        return "told: " + say_list([*there, *([asked] if asked else [])])
    if one.kind == "record":
        return "the record of this example"
    names = [file.name for file in one.upload.files]
    return f"{say_list(names)} ({one.upload.digest[:8]}), what it says of {one.named}"


def _sign(sign: Sign) -> str:
    if sign.value is None:
        return sign.name
    return f"{sign.name} {say_number(sign.value)} {say_unit(sign.unit or '')}".rstrip()
